/**
 * The eight bytes by which an adapter refuses a message. Coprocessors answer with type 82, accelerators with type 88; a code means
 * the same in both. Source: Linux drivers/s390/crypto/zcrypt_error.h, struct error_hdr and the REP82 and REP88 codes; most of those
 * below are EINVAL to the program that sent the request; machineFailure, messageType and invalidCommand make the driver try elsewhere.
 */
export const ReplyCode = {
  machineFailure: 0x10,
  messageType: 0x20,
  malformedMessage: 0x22,
  messageLength: 0x23,
  reservedField: 0x24,
  formatField: 0x29,
  invalidCommand: 0x30,
  keyType: 0x34,
  invalidKey: 0x82,
  invalidOperand: 0x84,
  evenModulus: 0x85,
  invalidDomain: 0x8a,
  packetTruncated: 0xa0,
} as const;
export type ReplyCode = (typeof ReplyCode)[keyof typeof ReplyCode];

const coprocessorErrorType = 0x82;
const acceleratorErrorType = 0x88;

export const coprocessorError = (code: ReplyCode): Uint8Array => Uint8Array.of(0, coprocessorErrorType, 0, 0, code, 0, 0, 0);

export const acceleratorError = (code: ReplyCode): Uint8Array => Uint8Array.of(0, acceleratorErrorType, 0, 0, code, 0, 0, 0);
