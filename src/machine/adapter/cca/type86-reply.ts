import { coprocessorError, ReplyCode } from "../error-reply.ts";
import { cprbxBytes, type Type6Request } from "./type6-request.ts";

/**
 * A reply of type 86: header, format 2 extension, CPRBX, parameter block, data. For the two RSA verbs the kernel takes 274 plus the
 * number at 272 as the length of the reply, for others the end of the data or, without data, of the parameter block; a reply of
 * another length is an error. So the parameter block of those two verbs, also that of an error, ends with an empty key block, and all
 * the rules agree.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, zcrypt_msgtype6_receive.
 */
export interface VerbResult {
  readonly returnCode: number;
  readonly reasonCode: number;
  /** The three parts of the parameter block: rules, what the verb itself puts out, keys. */
  readonly rules: Uint8Array;
  readonly output: Uint8Array;
  readonly key: Uint8Array;
  /** What follows the control block. */
  readonly data: Uint8Array;
}

const nothing = new Uint8Array(0);
const emptyResult: VerbResult = { returnCode: 0, reasonCode: 0, rules: nothing, output: nothing, key: nothing, data: nothing };

export const success = (result: Partial<Omit<VerbResult, "returnCode">>): VerbResult => ({ ...emptyResult, ...result });

export const failure = ([returnCode, reasonCode]: readonly [number, number]): VerbResult => ({ ...emptyResult, returnCode, reasonCode });

const type86 = 0x86;
const formats = { error: 1, done: 2 } as const;
const headerBytes = 48;
const header = { type: 1, format: 2, count1: 16, offset1: 20, count2: 24, offset2: 28 } as const;
const cprbxFields = { replyParameterBytes: 24, replyDataBytes: 32, returnCode: 144, reasonCode: 146 } as const;
/** A length counts itself. */
const lengthBytes = 2;

export function type86Reply({ cprbx, verb, maxReplyBytes }: Type6Request, result: VerbResult): Uint8Array {
  const { rules, output, key, data } = result;
  const parts = [rules, output, key];
  const parameterBytes = parts.reduce((sum, part) => sum + lengthBytes + part.length, verb.length);
  const blockBytes = cprbxBytes + parameterBytes;
  if (blockBytes > maxReplyBytes) return coprocessorError(ReplyCode.packetTruncated);
  const reply = new Uint8Array(headerBytes + blockBytes + data.length);
  const view = new DataView(reply.buffer);
  reply[header.type] = type86;
  reply[header.format] = result.returnCode === 0 ? formats.done : formats.error;
  view.setUint32(header.count1, blockBytes);
  view.setUint32(header.offset1, headerBytes);
  view.setUint32(header.count2, data.length);
  view.setUint32(header.offset2, headerBytes + blockBytes);

  reply.set(cprbx, headerBytes);
  view.setUint32(headerBytes + cprbxFields.replyParameterBytes, parameterBytes);
  view.setUint32(headerBytes + cprbxFields.replyDataBytes, data.length);
  view.setUint16(headerBytes + cprbxFields.returnCode, result.returnCode);
  view.setUint16(headerBytes + cprbxFields.reasonCode, result.reasonCode);

  let offset = headerBytes + cprbxBytes;
  reply.set(Buffer.from(verb, "latin1"), offset);
  offset += verb.length;
  for (const part of parts) {
    view.setUint16(offset, lengthBytes + part.length);
    reply.set(part, offset + lengthBytes);
    offset += lengthBytes + part.length;
  }
  reply.set(data, offset);
  return reply;
}
