import { createCipheriv } from "node:crypto";

/** Three bytes by which people compare AES keys: the start of an encrypted block of zeros (PKCS #11, CKA_CHECK_VALUE). */
export function keyCheckValue(value: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${value.length * 8}-ecb`, value, null).setAutoPadding(false);
  return cipher.update(new Uint8Array(16)).subarray(0, 3);
}
