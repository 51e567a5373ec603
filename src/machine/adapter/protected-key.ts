import { createCipheriv, createHash } from "node:crypto";

/**
 * An AES key that the processor's own instructions could use: the encrypted key, as long as the key, then the pattern of what it is
 * encrypted under. On a machine that is the wrapping key of the LPAR or guest, which the processor and the adapters agree on; here it
 * is a stand-in, encrypted under a key of 32 bytes that the adapters share and no processor knows.
 */
export const protectedKey = (key: Uint8Array, wrappingKey: Uint8Array): Uint8Array =>
  Buffer.concat([encrypted(key, wrappingKey), createHash("sha256").update(wrappingKey).digest()]);

const blockBytes = 16;

/** AES-256-CBC from zeros; a key that does not fill its last block has that one overlap the block before. */
function encrypted(key: Uint8Array, wrappingKey: Uint8Array): Uint8Array {
  const wrapped = Uint8Array.from(key);
  const cipher = createCipheriv("aes-256-cbc", wrappingKey, new Uint8Array(blockBytes)).setAutoPadding(false);
  for (let offset = 0; offset < wrapped.length; offset += blockBytes) {
    const start = Math.min(offset, wrapped.length - blockBytes);
    wrapped.set(cipher.update(wrapped.subarray(start, start + blockBytes)), start);
  }
  return wrapped;
}
