import { protectedKey } from "../protected-key.ts";

/**
 * What US and AU answer: a protected key, which stands in for one of a machine, in a block of 142 bytes.
 * Layout: Linux drivers/s390/crypto/zcrypt_ccamisc.c, struct cpacfkeyblock.
 */
const layout = { version: 0, algorithm: 3, keyBytes: 8, key: 10, pattern: 110, bytes: 142 } as const;
const version1 = 1;
const aes = 2;

/** `wrappingKey` has 32 bytes; its pattern is part of the protected key. */
export function protectedKeyBlock(key: Uint8Array, wrappingKey: Uint8Array): Uint8Array {
  const wrapped = protectedKey(key, wrappingKey);
  const block = new Uint8Array(layout.bytes);
  block[layout.version] = version1;
  block[layout.algorithm] = aes;
  new DataView(block.buffer).setUint16(layout.keyBytes, wrapped.length);
  block.set(wrapped, layout.key);
  block.set(wrapped.subarray(key.length), layout.pattern);
  return block;
}
