import { ReplyCode } from "../error-reply.ts";

/**
 * A request of type 6 to a CCA coprocessor: header, CPRBX, parameter block whose first two bytes are the verb.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype6.h, struct type6_hdr; arch/s390/include/uapi/asm/zcrypt.h, struct CPRBX.
 */
export interface Type6Request {
  /** The CPRBX as it came, without what follows it. */
  readonly cprbx: Uint8Array;
  readonly verb: string;
  /** What follows the verb in the parameter block. */
  readonly parameters: Uint8Array;
  /** Cryptography with the keys of the queue's domain, or administration of the domain that the message names. */
  readonly kind: "usage" | "administration" | "unknown";
  readonly domain: number;
  /** Greatest control block and greatest data that the caller takes. */
  readonly maxReplyBytes: number;
  readonly maxReplyDataBytes: number;
}

export const cprbxBytes = 220;

const type6 = 0x06;
const headerBytes = 88;
const verbBytes = 2;
const header = { type: 1, offset1: 16, agent: 32, requestBytes: 56, replyBytes: 72, replyDataBytes: 76 } as const;
const cprbxFields = { length: 0, version: 2, functionId: 6, parameterBytes: 12, replyDataBytes: 28, domain: 170 } as const;
const cprbxVersion = 2;
/** By function id. Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, xcrb_msg_to_type6cprb_msgx. */
const kinds: ReadonlyMap<string, Type6Request["kind"]> = new Map([
  ["T2", "usage"],
  ["T3", "administration"],
  ["T5", "administration"],
  ["T6", "administration"],
  ["T7", "administration"],
]);

/** The request, or the code of the error that the adapter answers with. */
export function readType6(message: Uint8Array): Type6Request | ReplyCode {
  if (message.length < header.type + 1) return ReplyCode.messageLength;
  if (message[header.type] !== type6) return ReplyCode.messageType;
  if (message.length < headerBytes + cprbxBytes + verbBytes) return ReplyCode.messageLength;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (view.getUint32(header.offset1) !== headerBytes) return ReplyCode.formatField;
  if (textOf(message, header.agent, 2) !== "CA") return ReplyCode.malformedMessage;
  const blockBytes = view.getUint32(header.requestBytes);
  if (headerBytes + blockBytes > message.length || blockBytes < cprbxBytes + verbBytes) return ReplyCode.messageLength;

  const block = message.subarray(headerBytes, headerBytes + blockBytes);
  const fields = new DataView(block.buffer, block.byteOffset, block.length);
  if (fields.getUint16(cprbxFields.length) !== cprbxBytes) return ReplyCode.formatField;
  if (fields.getUint8(cprbxFields.version) !== cprbxVersion) return ReplyCode.formatField;
  const parameterBytes = fields.getUint32(cprbxFields.parameterBytes);
  if (parameterBytes < verbBytes || cprbxBytes + parameterBytes > blockBytes) return ReplyCode.messageLength;
  return {
    cprbx: block.subarray(0, cprbxBytes),
    verb: textOf(block, cprbxBytes, verbBytes),
    parameters: block.subarray(cprbxBytes + verbBytes, cprbxBytes + parameterBytes),
    kind: kinds.get(textOf(block, cprbxFields.functionId, 2)) ?? "unknown",
    domain: fields.getUint16(cprbxFields.domain),
    maxReplyBytes: view.getUint32(header.replyBytes),
    maxReplyDataBytes: Math.min(view.getUint32(header.replyDataBytes), fields.getUint32(cprbxFields.replyDataBytes)),
  };
}

const textOf = (bytes: Uint8Array, offset: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + length));
