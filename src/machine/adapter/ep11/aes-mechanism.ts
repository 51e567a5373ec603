import { createCipheriv, createDecipheriv } from "node:crypto";
import { ReturnValue, refuse } from "./return-value.ts";

/** AES as PKCS #11 names it; keys of 16, 24 or 32 bytes. */
export interface AesMechanism {
  /** `badLength` where the data must be, and is not, of whole blocks. */
  encrypt(key: Uint8Array, data: Uint8Array, badLength: ReturnValue): Uint8Array;
  decrypt(key: Uint8Array, data: Uint8Array, refusals: { readonly badLength: ReturnValue; readonly badPadding: ReturnValue }): Uint8Array;
}

export interface Mechanism {
  readonly id: number;
  readonly parameter: Uint8Array;
}

/** A number, then the mechanism's parameter. */
export function readMechanism(value: Uint8Array): Mechanism {
  if (value.length < mechanismIdBytes) refuse(ReturnValue.argumentsBad);
  const id = new DataView(value.buffer, value.byteOffset, mechanismIdBytes).getUint32(0);
  return { id, parameter: value.subarray(mechanismIdBytes) };
}

export function aesMechanism({ id, parameter }: Mechanism): AesMechanism {
  const form = forms.get(id) ?? refuse(ReturnValue.mechanismInvalid);
  if (parameter.length !== form.ivBytes) refuse(ReturnValue.mechanismParameterInvalid);
  const iv = form.ivBytes === 0 ? null : parameter;
  const cipherName = (key: Uint8Array): string => `aes-${key.length * 8}-${form.name}`;
  return {
    encrypt(key, data, badLength) {
      if (!form.isPadded && !isOfWholeBlocks(data)) refuse(badLength);
      const cipher = createCipheriv(cipherName(key), key, iv).setAutoPadding(form.isPadded);
      return Buffer.concat([cipher.update(data), cipher.final()]);
    },
    decrypt(key, data, { badLength, badPadding }) {
      if (!isOfWholeBlocks(data)) refuse(badLength);
      const decipher = createDecipheriv(cipherName(key), key, iv).setAutoPadding(false);
      const plain = Buffer.concat([decipher.update(data), decipher.final()]);
      return form.isPadded ? (withoutPadding(plain) ?? refuse(badPadding)) : plain;
    },
  };
}

const mechanismIdBytes = 4;
const blockBytes = 16;

/** CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD. */
const forms: ReadonlyMap<number, { readonly name: string; readonly ivBytes: number; readonly isPadded: boolean }> = new Map([
  [0x1081, { name: "ecb", ivBytes: 0, isPadded: false }],
  [0x1082, { name: "cbc", ivBytes: blockBytes, isPadded: false }],
  [0x1085, { name: "cbc", ivBytes: blockBytes, isPadded: true }],
]);

const isOfWholeBlocks = (data: Uint8Array): boolean => data.length > 0 && data.length % blockBytes === 0;

/** Padding of PKCS #7: as many bytes as each of them says. */
function withoutPadding(plain: Uint8Array): Uint8Array | undefined {
  const padding = plain[plain.length - 1]!;
  if (padding === 0 || padding > blockBytes || !plain.subarray(-padding).every((byte) => byte === padding)) return undefined;
  return plain.subarray(0, -padding);
}
