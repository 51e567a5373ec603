/**
 * What an EP11 function ends with: return values of PKCS #11 (OASIS, pkcs11t.h) and IBM's own above 0x80010000 (ep11.h of IBM's
 * EP11 host library). Which of them a real coprocessor gives for which mistake is not public: chosen by their definitions.
 */
export const ReturnValue = {
  ok: 0,
  argumentsBad: 0x07,
  attributeTypeInvalid: 0x12,
  attributeValueInvalid: 0x13,
  dataLengthRange: 0x21,
  encryptedDataInvalid: 0x40,
  encryptedDataLengthRange: 0x41,
  functionCanceled: 0x50,
  functionNotSupported: 0x54,
  keySizeRange: 0x62,
  keyFunctionNotPermitted: 0x68,
  keyUnextractable: 0x6a,
  mechanismInvalid: 0x70,
  mechanismParameterInvalid: 0x71,
  sessionClosed: 0xb0,
  templateIncomplete: 0xd0,
  templateInconsistent: 0xd1,
  wrappedKeyInvalid: 0x110,
  wrappedKeyLengthRange: 0x112,
  wrappingKeyMismatch: 0x80010001,
  wrappingKeyNotInitialized: 0x80010009,
  transportLimit: 0x80010010,
  apiMismatch: 0x80010013,
} as const;
export type ReturnValue = (typeof ReturnValue)[keyof typeof ReturnValue];

/** Ends a function with a return value; the processor makes a reply of it. */
export class Refusal extends Error {
  constructor(readonly returnValue: ReturnValue) {
    super(`EP11 return value 0x${returnValue.toString(16)}`);
  }
}

export function refuse(returnValue: ReturnValue): never {
  throw new Refusal(returnValue);
}
