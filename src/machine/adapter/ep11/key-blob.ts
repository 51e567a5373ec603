import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { verificationPattern } from "../../secrets/master-key.ts";
import { defaultOperatingModes } from "./operating-modes.ts";
import { ReturnValue, refuse } from "./return-value.ts";
import type { WrappingKeys } from "./wrapping-keys.ts";

/**
 * A key outside of its coprocessor: encrypted and authenticated under the domain's current wrapping key, which it names by the start
 * of its pattern. The places are those that Linux reads (drivers/s390/crypto/zcrypt_ep11misc.h, struct ep11keyblob). What is
 * encrypted, and how its two keys come from the wrapping key, is Adjunct's own: a blob of a real coprocessor opens nowhere here.
 */
export interface SecureKey {
  /** An AES key of 16, 24 or 32 bytes. */
  readonly value: Uint8Array;
  readonly attributes: number;
}

const blobBytes = 256;
/** The session before the pattern is zero: keys are bound to none. */
const fields = { pattern: 32, attributes: 48, mode: 56, magic: 64, randomIv: 66, encrypted: 80, mac: 224 } as const;
const patternBytes = 16;
const magic = 0x1234;

export function sealKey({ value, attributes }: SecureKey, keys: WrappingKeys): Uint8Array {
  const wrappingKey = currentKey(keys);
  const blob = new Uint8Array(blobBytes);
  const view = new DataView(blob.buffer);
  blob.set(patternIn(wrappingKey), fields.pattern);
  view.setUint32(fields.attributes + 4, attributes);
  view.setBigUint64(fields.mode, defaultOperatingModes);
  view.setUint16(fields.magic, magic);
  blob.set(randomBytes(fields.encrypted - fields.randomIv), fields.randomIv);

  const content = new Uint8Array(fields.mac - fields.encrypted);
  content[contentFields.valueBytes] = value.length;
  content.set(value, contentFields.value);
  const cipher = createCipheriv("aes-256-cbc", derivedKey(wrappingKey, "encryption"), ivIn(blob)).setAutoPadding(false);
  blob.set(Buffer.concat([cipher.update(content), cipher.final()]), fields.encrypted);
  blob.set(macOf(blob, wrappingKey), fields.mac);
  return blob;
}

export function openKey(blob: Uint8Array, keys: WrappingKeys): SecureKey {
  const wrappingKey = currentKey(keys);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  if (blob.length !== blobBytes || view.getUint16(fields.magic) !== magic) refuse(ReturnValue.encryptedDataInvalid);
  // Before the MAC: a whole blob of other keys must be told from a damaged one.
  if (!timingSafeEqual(patternIn(wrappingKey), blob.subarray(fields.pattern, fields.pattern + patternBytes))) {
    refuse(ReturnValue.wrappingKeyMismatch);
  }
  if (!timingSafeEqual(macOf(blob, wrappingKey), blob.subarray(fields.mac))) refuse(ReturnValue.encryptedDataInvalid);

  const decipher = createDecipheriv("aes-256-cbc", derivedKey(wrappingKey, "encryption"), ivIn(blob)).setAutoPadding(false);
  const content = Buffer.concat([decipher.update(blob.subarray(fields.encrypted, fields.mac)), decipher.final()]);
  const valueEnd = contentFields.value + content[contentFields.valueBytes]!;
  return { value: content.subarray(contentFields.value, valueEnd), attributes: view.getUint32(fields.attributes + 4) };
}

/** What is encrypted; zeros follow. */
const contentFields = { valueBytes: 0, value: 1 } as const;

const currentKey = ({ current }: WrappingKeys): Uint8Array => current ?? refuse(ReturnValue.wrappingKeyNotInitialized);

const patternIn = (wrappingKey: Uint8Array): Uint8Array => verificationPattern("ep11", wrappingKey).subarray(0, patternBytes);

const derivedKey = (wrappingKey: Uint8Array, use: "encryption" | "authentication"): Uint8Array =>
  createHmac("sha256", wrappingKey).update(`adjunct ep11 key blob ${use}`).digest();

/** The magic number is the start of the initialization vector. */
const ivIn = (blob: Uint8Array): Uint8Array => blob.subarray(fields.magic, fields.encrypted);

const macOf = (blob: Uint8Array, wrappingKey: Uint8Array): Uint8Array =>
  createHmac("sha256", derivedKey(wrappingKey, "authentication")).update(blob.subarray(0, fields.mac)).digest();
