import { ReturnValue, refuse } from "./return-value.ts";

/**
 * What a new key shall be, as packed attributes: 0x10, count of attributes with a number, two bytes count of those with bytes; mask
 * and values of the yes-or-no attributes; pairs of type and number. The meaning of the first four bytes is inferred from what Linux
 * sends (0x10010000 with one pair, 0x10020000 with two). Source: drivers/s390/crypto/zcrypt_ep11misc.c, struct keygen_req_pl, uw_req_pl.
 */
export interface KeyTemplate {
  /** `KeyAttribute` bits. */
  readonly attributes: number;
  readonly keyType: number | undefined;
  readonly valueBytes: number | undefined;
}

/** Yes-or-no attributes of a key. Source: ep11.h of IBM's EP11 host library, XCP_Attr_t. */
export const KeyAttribute = {
  extractable: 0x01,
  neverExtractable: 0x02,
  modifiable: 0x04,
  neverModifiable: 0x08,
  /** Was made inside. */
  local: 0x20,
  decrypt: 0x400,
  encrypt: 0x800,
  unwrap: 0x2000,
  wrap: 0x4000,
  protectedKeyExtractable: 0x200000,
  protectedKeyNeverExtractable: 0x400000,
} as const;

export const KeyType = { aes: 0x1f } as const;

/**
 * What a caller may ask for: not what the coprocessor says itself of a key's history, and not what is not held here (transport with
 * attributes only, trusted wrapping keys, keys that stay inside).
 */
const requestable = 0x0021ff95;
const AttributeType = { objectClass: 0x0, keyType: 0x100, valueBytes: 0x161 } as const;
const secretKeyClass = 4;
const packedVersion = 0x10;
const packedFields = { version: 0, numberCount: 1, bytesCount: 2, mask: 4, values: 8, numbers: 12 } as const;
const pairBytes = 8;

export function readKeyTemplate(packed: Uint8Array): KeyTemplate {
  if (packed.length < packedFields.numbers) refuse(ReturnValue.argumentsBad);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const count = view.getUint8(packedFields.numberCount);
  if (view.getUint8(packedFields.version) !== packedVersion) refuse(ReturnValue.argumentsBad);
  if (view.getUint16(packedFields.bytesCount) !== 0) refuse(ReturnValue.attributeTypeInvalid);
  if (packed.length !== packedFields.numbers + count * pairBytes) refuse(ReturnValue.argumentsBad);

  const attributes = view.getUint32(packedFields.mask) & view.getUint32(packedFields.values);
  if ((attributes & ~requestable) !== 0) refuse(ReturnValue.attributeValueInvalid);
  const numbers = new Map<number, number>();
  for (let at: number = packedFields.numbers; at < packed.length; at += pairBytes) {
    const type = view.getUint32(at);
    if (numbers.has(type)) refuse(ReturnValue.templateInconsistent);
    numbers.set(type, view.getUint32(at + 4));
  }
  const known: readonly number[] = Object.values(AttributeType);
  if ([...numbers.keys()].some((type) => !known.includes(type))) refuse(ReturnValue.attributeTypeInvalid);
  const objectClass = numbers.get(AttributeType.objectClass) ?? secretKeyClass;
  if (objectClass !== secretKeyClass) refuse(ReturnValue.templateInconsistent);
  return { attributes, keyType: numbers.get(AttributeType.keyType), valueBytes: numbers.get(AttributeType.valueBytes) };
}

/** The attributes of a key that was made inside: it never was what it is not now. */
export function attributesOfLocalKey(attributes: number): number {
  const never = [
    [KeyAttribute.extractable, KeyAttribute.neverExtractable],
    [KeyAttribute.modifiable, KeyAttribute.neverModifiable],
    [KeyAttribute.protectedKeyExtractable, KeyAttribute.protectedKeyNeverExtractable],
  ] as const;
  return never.reduce((all, [now, before]) => (attributes & now ? all : all | before), attributes | KeyAttribute.local);
}

export const isAesKeySize = (bytes: number): boolean => bytes === 16 || bytes === 24 || bytes === 32;
