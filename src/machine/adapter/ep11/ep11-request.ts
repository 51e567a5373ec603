import { ReplyCode } from "../error-reply.ts";
import { readOctetStrings } from "./octet-strings.ts";
import { numberOf } from "./parameter-reader.ts";

/**
 * A request of type 6 to an EP11 coprocessor: header, CPRB of 32 bytes, payload that begins with function and domain.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, xcrb_msg_to_type6_ep11cprb_msgx; arch/s390/include/uapi/asm/zcrypt.h,
 * struct ep11_cprb.
 */
export interface Ep11Request {
  /** As it came, without the payload. */
  readonly cprb: Uint8Array;
  readonly isAdministrative: boolean;
  /** The domain in the CPRB. */
  readonly target: number;
  /** API ordinal in the left half, function in the right one. */
  readonly call: number;
  /** The domain in the payload. */
  readonly domain: number;
  readonly parameters: readonly Uint8Array[];
  /** Greatest CPRB with payload that the caller takes. */
  readonly maxReplyBytes: number;
}

export const ep11CprbBytes = 32;

const type6 = 0x06;
const headerBytes = 88;
const header = { type: 1, offset1: 16, agent: 32, requestBytes: 56, replyBytes: 72 } as const;
const agent = Buffer.from("XC");
const cprbFields = { length: 0, version: 2, flags: 5, functionId: 6, target: 12, payloadBytes: 28 } as const;
const cprbVersion = 4;
const cprbFunctionId = Buffer.from("T4");
const administrativeFlag = 0x80;

/** The request, or the code of the error that the adapter answers with. */
export function readEp11Request(message: Uint8Array): Ep11Request | ReplyCode {
  if (message.length < header.type + 1) return ReplyCode.messageLength;
  if (message[header.type] !== type6) return ReplyCode.messageType;
  if (message.length < headerBytes + ep11CprbBytes) return ReplyCode.messageLength;
  const fields = new DataView(message.buffer, message.byteOffset, message.length);
  if (fields.getUint32(header.offset1) !== headerBytes) return ReplyCode.formatField;
  if (!hasBytes(message, header.agent, agent)) return ReplyCode.malformedMessage;
  const blockBytes = fields.getUint32(header.requestBytes);
  if (headerBytes + blockBytes > message.length) return ReplyCode.messageLength;

  const cprb = message.subarray(headerBytes, headerBytes + ep11CprbBytes);
  const cprbView = new DataView(cprb.buffer, cprb.byteOffset, cprb.length);
  if (cprbView.getUint16(cprbFields.length) !== ep11CprbBytes) return ReplyCode.formatField;
  if (cprbView.getUint8(cprbFields.version) !== cprbVersion) return ReplyCode.formatField;
  if (!hasBytes(cprb, cprbFields.functionId, cprbFunctionId)) return ReplyCode.formatField;
  const payloadBytes = cprbView.getUint32(cprbFields.payloadBytes);
  if (ep11CprbBytes + payloadBytes > blockBytes) return ReplyCode.messageLength;

  const payload = message.subarray(headerBytes + ep11CprbBytes).subarray(0, payloadBytes);
  const [callValue, domainValue, ...parameters] = readOctetStrings(payload) ?? [];
  const call = numberOf(callValue);
  const domain = numberOf(domainValue);
  if (call === undefined || domain === undefined) return ReplyCode.malformedMessage;
  return {
    ...{ cprb, call, domain, parameters },
    isAdministrative: (cprbView.getUint8(cprbFields.flags) & administrativeFlag) !== 0,
    target: cprbView.getUint32(cprbFields.target),
    maxReplyBytes: fields.getUint32(header.replyBytes),
  };
}

const hasBytes = (bytes: Uint8Array, offset: number, expected: Uint8Array): boolean =>
  expected.every((byte, index) => bytes[offset + index] === byte);
