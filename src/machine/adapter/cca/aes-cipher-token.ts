import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import type { UnwrappedKey } from "./aes-data-token.ts";
import { type FailureReason, type MasterKey, masterKeyOf, type WrappingMasterKeys } from "./master-key-choice.ts";
import { Reason } from "./reason-codes.ts";

/**
 * The variable-length token of an AES CIPHER key: a head of 56 bytes that says what the key may be used for, and a payload. Without a payload
 * it is a skeleton, which GK and IP complete. The layout is CCA's (Linux drivers/s390/crypto/zcrypt_ccamisc.h, struct cipherkeytoken;
 * the completeness in key-management field 2 from memory), the wrapping is ours: AES-256-GCM under a key derived from the AES master
 * key, with the head as associated data, in the room that CCA's AESKW takes.
 */
export type Completeness = "complete" | "completable" | "needs-one-part" | "needs-two-parts";

const layout = {
  ...{ type: 0, length: 2, version: 4, keyState: 8, patternType: 9, pattern: 10, wrapping: 26, hash: 27, payloadVersion: 28 },
  ...{ associatedVersion: 30, associatedLength: 32, optionalLengths: 34, payloadBits: 38, algorithm: 41, keyType: 42 },
  ...{ usageFields: 44, managementFields: 49, management1: 50, completeness: 52 },
} as const;
export const cipherTokenHeadBytes = 56;
const patternBytes = 16;

const internalToken = 0x01;
const variableLengthVersion = 0x05;
const keyStates = { none: 0, wrapped: 3 } as const;
const aesMasterKeyPattern = 1;
const aeskw = 2;
const sha256 = 2;
const cpacfExport = 0x0800;

const completenessBits: Readonly<Record<Completeness, number>> = {
  complete: 0x00,
  completable: 0x40,
  "needs-one-part": 0x80,
  "needs-two-parts": 0xc0,
};
const completenessMask = 0xc0;

/** Payloads of version 0 tell the key's length by their own, those of version 1 do not. */
const payloadBits = [
  { 16: 512, 24: 576, 32: 640 },
  { 16: 640, 24: 640, 32: 640 },
] as const;
const nonceBytes = 12;
const tagBytes = 16;

export interface CipherKey extends UnwrappedKey {
  readonly completeness: Completeness;
  readonly isExportable: boolean;
}

export type AesKeyBytes = 16 | 24 | 32;
export const isAesKeyBytes = (bytes: number): bytes is AesKeyBytes => bytes === 16 || bytes === 24 || bytes === 32;

/** Whether the token is one without a key that GK and IP can complete. */
export const isSkeleton = (token: Uint8Array): boolean =>
  hasKnownHead(token) && token.length === cipherTokenHeadBytes && token[layout.keyState] === keyStates.none;

/** `head` is that of a skeleton or of another token for the same key. */
export function wrapCipherKey(head: Uint8Array, key: Uint8Array, completeness: Completeness, masterKey: MasterKey): Uint8Array {
  const bits = payloadBits[head[layout.payloadVersion] as 0 | 1][key.length as AesKeyBytes];
  const token = new Uint8Array(cipherTokenHeadBytes + bits / 8);
  const view = new DataView(token.buffer);
  token.set(head.subarray(0, cipherTokenHeadBytes));
  view.setUint16(layout.length, token.length);
  token[layout.keyState] = keyStates.wrapped;
  token[layout.patternType] = aesMasterKeyPattern;
  token.fill(0, layout.pattern, layout.pattern + patternBytes);
  token.set(masterKey.pattern, layout.pattern);
  token[layout.wrapping] = aeskw;
  token[layout.hash] = sha256;
  view.setUint16(layout.payloadBits, bits);
  token[layout.completeness] = (token[layout.completeness]! & ~completenessMask) | completenessBits[completeness];

  const content = new Uint8Array(bits / 8 - nonceBytes - tagBytes);
  content[0] = key.length;
  content.set(key, 1);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", payloadKey(masterKey), nonce).setAAD(token.subarray(0, cipherTokenHeadBytes));
  const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
  token.set(Buffer.concat([nonce, encrypted, cipher.getAuthTag()]), cipherTokenHeadBytes);
  return token;
}

export function unwrapCipherKey(token: Uint8Array, masterKeys: WrappingMasterKeys): CipherKey | FailureReason {
  if (token.length > layout.version && token[layout.version] !== variableLengthVersion) return Reason.tokenVersion;
  if (!hasKnownHead(token) || token[layout.keyState] !== keyStates.wrapped) return Reason.unusableToken;
  if (token.length < cipherTokenHeadBytes + nonceBytes + tagBytes) return Reason.unusableToken;
  const masterKey = masterKeyOf(masterKeys, token.subarray(layout.pattern, layout.pattern + patternBytes / 2));
  if (!masterKey) return Reason.otherMasterKey;
  const content = openPayload(token, masterKey);
  if (!content) return Reason.unusableToken;
  const bits = token[layout.completeness]! & completenessMask;
  const [completeness] = Object.entries(completenessBits).find(([, value]) => value === bits) as [Completeness, number];
  return {
    key: Uint8Array.from(content.subarray(1, 1 + content[0]!)),
    isUnderOldMasterKey: masterKey !== masterKeys.current,
    completeness,
    isExportable: (new DataView(token.buffer, token.byteOffset).getUint16(layout.management1) & cpacfExport) !== 0,
  };
}

/** An AES CIPHER key without label and further data, two usage and three management fields. */
function hasKnownHead(token: Uint8Array): boolean {
  if (token.length < cipherTokenHeadBytes) return false;
  const view = new DataView(token.buffer, token.byteOffset, token.length);
  return (
    token[layout.type] === internalToken &&
    token[layout.version] === variableLengthVersion &&
    view.getUint16(layout.length) === token.length &&
    token[layout.payloadVersion]! <= 1 &&
    token[layout.associatedVersion] === 1 &&
    view.getUint16(layout.associatedLength) === cipherTokenHeadBytes - layout.associatedVersion &&
    token.subarray(layout.optionalLengths, layout.payloadBits).every((byte) => byte === 0) &&
    token[layout.algorithm] === 2 &&
    view.getUint16(layout.keyType) === 1 &&
    token[layout.usageFields] === 2 &&
    token[layout.managementFields] === 3
  );
}

function openPayload(token: Uint8Array, masterKey: MasterKey): Uint8Array | undefined {
  const payload = token.subarray(cipherTokenHeadBytes);
  const decipher = createDecipheriv("aes-256-gcm", payloadKey(masterKey), payload.subarray(0, nonceBytes))
    .setAAD(token.subarray(0, cipherTokenHeadBytes))
    .setAuthTag(payload.subarray(payload.length - tagBytes));
  try {
    return Buffer.concat([decipher.update(payload.subarray(nonceBytes, payload.length - tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

const payloadKey = ({ key }: MasterKey): Uint8Array => createHmac("sha256", key).update("AES CIPHER payload").digest();
