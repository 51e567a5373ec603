import { fail } from "../../../sysfs/errno.ts";
import { cprbx, cprbxVersion, ep11CprbVersion, type86Header } from "../messages/type6-layout.ts";
import { errorOf, replyCode, replyType, replyTypes } from "./error-reply.ts";
import { MalformedReply, unknownType } from "./malformed-reply.ts";

/**
 * Replies of coprocessors. What has the control block of its kind must be as long as its own headers say, else EMSGSIZE; of anything else
 * only the first eight bytes count. Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, zcrypt_msgtype6_receive, zcrypt_msgtype6_receive_ep11
 * and convert_response_*.
 */
const block = type86Header.bytes;
const ica = { length: 272, data: 274 } as const;
const lengthBytes = 2;

/** The result of an RSA request. EAGAIN, EINVAL, EMSGSIZE. */
export function resultOfIca(reply: Uint8Array, resultBytes: number): Uint8Array {
  const view = viewOf(reply);
  const isWhole = hasCprbx(reply);
  if (isWhole && ica.data + view.u16(ica.length) !== reply.length) fail("EMSGSIZE");
  throwError(reply, [replyTypes.coprocessorError, replyTypes.acceleratorError]);
  const returnCode = isWhole ? view.u16(block + cprbx.returnCode) : 0;
  const reasonCode = isWhole ? view.u16(block + cprbx.reasonCode) : 0;
  if (returnCode !== 0 && reasonCode === exponentTooLong && resultBytes > 256) fail("EINVAL");
  throwReplyCode(reply);
  if (!isWhole) throw unknownType(reply);
  if (returnCode !== 0) {
    if (invalidReasons.has(`${returnCode}/${reasonCode}`)) fail("EINVAL");
    throw new MalformedReply(`rc/rs=${returnCode}/${reasonCode}`);
  }
  const length = view.u16(ica.length) - lengthBytes;
  if (length < 0 || length > resultBytes) fail("EMSGSIZE");
  return reply.slice(ica.data, ica.data + length);
}

const exponentTooLong = 0x14f;
const invalidReasons: ReadonlySet<string> = new Set(["8/65", "8/66", "8/72", "8/770", "12/769"]);

/** A control block and data as they came. */
export interface CprbResult {
  readonly control: Uint8Array;
  readonly data: Uint8Array;
}

/** How much the program takes of each. */
export interface ReplyRoom {
  readonly controlBytes: number;
  readonly dataBytes: number;
}

/** The control block is not looked into: its return code is the program's. EAGAIN, EINVAL, EMSGSIZE. */
export function resultOfCprb(reply: Uint8Array, { controlBytes, dataBytes }: ReplyRoom): CprbResult {
  checkParts(reply);
  throwError(reply, [replyTypes.coprocessorError, replyTypes.acceleratorError]);
  throwReplyCode(reply);
  if (!hasCprbx(reply)) throw unknownType(reply);
  const { count1, offset1, count2, offset2 } = partsOf(reply);
  if (count1 > controlBytes || count2 > dataBytes) fail("EMSGSIZE");
  return { control: copied(reply, offset1, count1), data: copied(reply, offset2, count2) };
}

/** EAGAIN, EINVAL, EMSGSIZE. */
export function resultOfRandom(reply: Uint8Array, mostBytes: number): Uint8Array {
  checkParts(reply);
  const type = replyType(reply);
  const isError = type === replyTypes.coprocessorError || type === replyTypes.acceleratorError;
  if (isError || (type === replyTypes.coprocessor && replyCode(reply) !== 0)) fail("EINVAL");
  if (!hasCprbx(reply)) throw unknownType(reply);
  const view = viewOf(reply);
  if (view.u16(block + cprbx.returnCode) !== 0 || view.u16(block + cprbx.reasonCode) !== 0) fail("EINVAL");
  const { count2, offset2 } = partsOf(reply);
  // The kernel copies as many as come.
  return count2 > mostBytes ? fail("EMSGSIZE") : copied(reply, offset2, count2);
}

/** Control block and payload of EP11. EAGAIN, EINVAL, EMSGSIZE. */
export function resultOfEp11(reply: Uint8Array, mostBytes: number): Uint8Array {
  const isWhole = hasControlBlock(reply, ep11CprbVersion);
  const { count1, offset1 } = partsOf(reply);
  if (isWhole && offset1 + count1 !== reply.length) fail("EMSGSIZE");
  throwError(reply, [replyTypes.coprocessorError, replyTypes.ep11Error]);
  throwReplyCode(reply);
  if (!isWhole) throw unknownType(reply);
  return count1 > mostBytes ? fail("EMSGSIZE") : copied(reply, offset1, count1);
}

const hasCprbx = (reply: Uint8Array): boolean => hasControlBlock(reply, cprbxVersion);

const hasControlBlock = (reply: Uint8Array, version: number): boolean =>
  replyType(reply) === replyTypes.coprocessor && reply[block + cprbx.version] === version;

/** Length of a reply to all but RSA requests. */
function checkParts(reply: Uint8Array): void {
  if (!hasCprbx(reply)) return;
  const { count1, offset1, count2, offset2 } = partsOf(reply);
  if ((count2 === 0 ? offset1 + count1 : offset2 + count2) !== reply.length) fail("EMSGSIZE");
}

function throwError(reply: Uint8Array, types: readonly number[]): void {
  const type = replyType(reply);
  if (types.includes(type)) throw errorOf(reply);
  if (type !== replyTypes.coprocessor) throw unknownType(reply);
}

function throwReplyCode(reply: Uint8Array): void {
  if (replyCode(reply) !== 0) throw errorOf(reply);
}

const partsOf = (reply: Uint8Array): Record<"count1" | "offset1" | "count2" | "offset2", number> => {
  const view = viewOf(reply);
  const { count1, offset1, count2, offset2 } = type86Header;
  return { count1: view.u32(count1), offset1: view.u32(offset1), count2: view.u32(count2), offset2: view.u32(offset2) };
};

/** Numbers of a reply; zero behind its end. */
function viewOf(reply: Uint8Array): { u16: (offset: number) => number; u32: (offset: number) => number } {
  const u8 = (offset: number): number => reply[offset] ?? 0;
  const u16 = (offset: number): number => (u8(offset) << 8) | u8(offset + 1);
  return { u16, u32: (offset) => u16(offset) * 0x10000 + u16(offset + 2) };
}

/** A part of the reply, with zeros for what would be behind its end. */
function copied(reply: Uint8Array, offset: number, count: number): Uint8Array {
  const part = new Uint8Array(count);
  part.set(reply.subarray(offset, offset + count));
  return part;
}
