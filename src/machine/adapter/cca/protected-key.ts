import { createCipheriv, createHash } from "node:crypto";

/**
 * What US and AU answer: a key that the processor's own instructions could use, in a block of 142 bytes. On a machine the key is encrypted under
 * the wrapping key of the LPAR or guest, which the processor and the card agree on; here it is a stand-in, encrypted under a wrapping
 * key of the adapters that no processor knows. Layout: Linux drivers/s390/crypto/zcrypt_ccamisc.c, struct cpacfkeyblock.
 */
const layout = { version: 0, algorithm: 3, keyBytes: 8, key: 10, pattern: 110, bytes: 142 } as const;
const version1 = 1;
const aes = 2;
const blockBytes = 16;

/** `wrappingKey` has 32 bytes; its pattern is part of the protected key. */
export function protectedKeyBlock(key: Uint8Array, wrappingKey: Uint8Array): Uint8Array {
  const pattern = createHash("sha256").update(wrappingKey).digest();
  const block = new Uint8Array(layout.bytes);
  block[layout.version] = version1;
  block[layout.algorithm] = aes;
  new DataView(block.buffer).setUint16(layout.keyBytes, key.length + pattern.length);
  block.set(protect(key, wrappingKey), layout.key);
  block.set(pattern, layout.key + key.length);
  block.set(pattern, layout.pattern);
  return block;
}

/** AES-256-CBC from zeros; a key that does not fill its last block has that one overlap the block before. */
function protect(key: Uint8Array, wrappingKey: Uint8Array): Uint8Array {
  const wrapped = Uint8Array.from(key);
  const cipher = createCipheriv("aes-256-cbc", wrappingKey, new Uint8Array(blockBytes)).setAutoPadding(false);
  for (let offset = 0; offset < wrapped.length; offset += blockBytes) {
    const start = Math.min(offset, wrapped.length - blockBytes);
    wrapped.set(cipher.update(wrapped.subarray(start, start + blockBytes)), start);
  }
  return wrapped;
}
