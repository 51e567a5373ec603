import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import { type FailureReason, type MasterKey, masterKeyOf, type WrappingMasterKeys } from "./master-key-choice.ts";
import { Reason } from "./reason-codes.ts";

/**
 * The fixed-length token of an AES DATA key: 64 bytes with the key wrapped under the AES master key. The layout is CCA's (Linux
 * drivers/s390/crypto/zcrypt_ccamisc.h, struct secaeskeytoken; the flags and the length of the encrypted key from memory), the wrapping is
 * ours: the validation value, on a card a checksum, is a keyed hash of all the rest with the key in the clear, cut to its four bytes,
 * and the key is encrypted by AES-256-CBC from there. So equal keys have equal tokens, and one altered bit is found.
 */
export interface UnwrappedKey {
  readonly key: Uint8Array;
  readonly isUnderOldMasterKey: boolean;
}

export const aesDataTokenBytes = 64;

const layout = {
  type: 0,
  version: 4,
  flags: 6,
  pattern: 8,
  key: 16,
  controlVector: 48,
  keyBits: 56,
  wrappedBytes: 58,
  validation: 60,
} as const;
const internalToken = 0x01;
const aesDataVersion = 0x04;
/** The key is encrypted, the pattern is there; the control vector counts. */
const flags = 0xc0;
const wrappedBytes = 32;
const validationBytes = 4;

export function wrapAesData(key: Uint8Array, masterKey: MasterKey): Uint8Array {
  const token = new Uint8Array(aesDataTokenBytes);
  const view = new DataView(token.buffer);
  token[layout.type] = internalToken;
  token[layout.version] = aesDataVersion;
  token[layout.flags] = flags;
  token.set(masterKey.pattern, layout.pattern);
  token.set(key, layout.key);
  view.setUint16(layout.keyBits, 8 * key.length);
  view.setUint16(layout.wrappedBytes, wrappedBytes);
  token.set(validationOf(token, masterKey), layout.validation);
  const cipher = createCipheriv("aes-256-cbc", ...cipherKeys(token, masterKey)).setAutoPadding(false);
  token.set(cipher.update(keyField(token)), layout.key);
  return token;
}

export function unwrapAesData(token: Uint8Array, masterKeys: WrappingMasterKeys): UnwrappedKey | FailureReason {
  if (token.length !== aesDataTokenBytes || token[layout.type] !== internalToken) return Reason.unusableToken;
  if (token[layout.version] !== aesDataVersion) return Reason.tokenVersion;
  const masterKey = masterKeyOf(masterKeys, token.subarray(layout.pattern, layout.key));
  if (!masterKey) return Reason.otherMasterKey;
  const open = Uint8Array.from(token);
  const decipher = createDecipheriv("aes-256-cbc", ...cipherKeys(token, masterKey)).setAutoPadding(false);
  open.set(decipher.update(keyField(token)), layout.key);
  if (!timingSafeEqual(validationOf(open, masterKey), token.subarray(layout.validation))) return Reason.tokenValidation;
  const keyBytes = new DataView(open.buffer).getUint16(layout.keyBits) / 8;
  return { key: keyField(open).subarray(0, keyBytes), isUnderOldMasterKey: masterKey !== masterKeys.current };
}

const keyField = (token: Uint8Array): Uint8Array => token.subarray(layout.key, layout.key + wrappedBytes);

/** Of a token with its key in the clear. */
function validationOf(token: Uint8Array, { key }: MasterKey): Uint8Array {
  return createHmac("sha256", key)
    .update("AES DATA validation")
    .update(token.subarray(0, layout.validation))
    .digest()
    .subarray(0, validationBytes);
}

/** Key and initial vector. */
function cipherKeys(token: Uint8Array, { key }: MasterKey): [Uint8Array, Uint8Array] {
  const validation = token.subarray(layout.validation);
  return [
    createHmac("sha256", key).update("AES DATA key").digest(),
    createHmac("sha256", key).update("AES DATA vector").update(validation).digest().subarray(0, 16),
  ];
}
