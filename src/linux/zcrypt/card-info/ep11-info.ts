import { fail } from "../../../sysfs/errno.ts";
import type { Job } from "../../time/work-queue.ts";
import { anyDomain, ep11Cprb, ep11CprbVersion } from "../messages/type6-layout.ts";
import type { RequestContext, Zcrypt } from "../zcrypt.ts";

/**
 * What an EP11 coprocessor tells of itself and of the wrapping keys of a domain, by function 38.
 * Source: Linux drivers/s390/crypto/zcrypt_ep11misc.c, ep11_query_info, ep11_get_card_info, ep11_get_domain_info.
 */
export interface Ep11CardInfo {
  readonly apiOrdinal: number;
  /** Major and minor version. */
  readonly firmware: readonly [number, number];
  /** Sixteen characters. */
  readonly serial: string;
  readonly operationModes: bigint;
}

export interface WrappingKey {
  readonly state: "invalid" | "valid" | "empty" | "uncommitted" | "committed";
  /** Undefined where the state has none. */
  readonly pattern: string | undefined;
}

export interface Ep11DomainInfo {
  readonly current: WrappingKey;
  readonly next: WrappingKey;
  readonly operationModes: bigint;
}

const queries = { module: { type: 1, bytes: 196 }, domain: { type: 3, bytes: 80 } } as const;
const moduleFields = { apiOrdinal: 0, firmwareMajor: 8, firmwareMinor: 9, serial: 108, operationModes: 140 } as const;
const serialBytes = 16;

export function* fetchEp11CardInfo(zcrypt: Zcrypt, card: number, context: RequestContext): Job<Ep11CardInfo> {
  const info = yield* queryInfo(zcrypt, { card, domain: anyDomain }, queries.module, context);
  return {
    apiOrdinal: info.readUInt32BE(moduleFields.apiOrdinal),
    firmware: [info.readUInt8(moduleFields.firmwareMajor), info.readUInt8(moduleFields.firmwareMinor)],
    serial: info.toString("latin1", moduleFields.serial, moduleFields.serial + serialBytes).replace(/\0.*/s, ""),
    operationModes: info.readBigUInt64BE(moduleFields.operationModes),
  };
}

const domainFields = { currentPattern: 4, newPattern: 36, flags: 68, operationModes: 72 } as const;
const patternBytes = 32;
const domainFlags = { leftImprintMode: 0x10, newCommitted: 0x08, newPresent: 0x04, currentValid: 0x02 } as const;

export function* fetchEp11DomainInfo(zcrypt: Zcrypt, card: number, domain: number, context: RequestContext): Job<Ep11DomainInfo> {
  const info = yield* queryInfo(zcrypt, { card, domain }, queries.domain, context);
  const flags = info.readUInt32BE(domainFields.flags);
  const has = (flag: keyof typeof domainFlags): boolean => (flags & domainFlags.leftImprintMode) !== 0 && (flags & domainFlags[flag]) !== 0;
  const pattern = (offset: number): string => info.toString("hex", offset, offset + patternBytes);
  const newState = has("newCommitted") ? "committed" : "uncommitted";
  return {
    current: has("currentValid")
      ? { state: "valid", pattern: pattern(domainFields.currentPattern) }
      : { state: "invalid", pattern: undefined },
    next:
      has("newPresent") || has("newCommitted")
        ? { state: newState, pattern: pattern(domainFields.newPattern) }
        : { state: "empty", pattern: undefined },
    operationModes: info.readBigUInt64BE(domainFields.operationModes),
  };
}

const apiVersion = 1;
const getInfo = 38;
const valueTag = 0x04;
const sequenceTag = 0x30;
const longForm = 0x82;
/** Offsets in the payload of a reply whose length is in the long form. */
const replyPayload = { dataTag: 22, dataLength: 24, data: 26 } as const;

/** As many bytes as the query has; zeros for what did not come. EIO, ENOSPC. */
function* queryInfo(
  zcrypt: Zcrypt,
  target: { readonly card: number; readonly domain: number },
  query: { readonly type: number; readonly bytes: number },
  context: RequestContext,
): Job<Buffer> {
  const values = [(apiVersion << 16) | getInfo, 0, query.type, 0];
  const body = Buffer.concat(values.map((value) => Buffer.concat([Buffer.of(valueTag, 4), u32(value)])));
  const payload = Buffer.concat([Buffer.of(sequenceTag, longForm, 0, body.length), body]);
  const request = Buffer.concat([controlBlock(payload.length), payload]);
  const replyBytes = ep11Cprb.bytes + replyPayload.data + query.bytes;
  const reply = Buffer.from(yield* zcrypt.sendEp11({ targets: [target], request, replyBytes }, context));
  if (reply.length < ep11Cprb.bytes + replyPayload.data || reply.readUInt32BE(ep11Cprb.returnCode) !== 0) fail("EIO");
  const answer = reply.subarray(ep11Cprb.bytes);
  checkHead(answer);
  if (answer[replyPayload.dataTag] !== valueTag || answer[replyPayload.dataTag + 1] !== longForm) fail("EIO");
  const length = answer.readUInt16BE(replyPayload.dataLength);
  if (length > query.bytes) fail("ENOSPC");
  const info = Buffer.alloc(query.bytes);
  answer.copy(info, 0, replyPayload.data, replyPayload.data + length);
  return info;
}

const u32 = (value: number): Buffer => Buffer.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

function controlBlock(payloadBytes: number): Buffer {
  const block = Buffer.alloc(ep11Cprb.bytes);
  block.writeUInt16BE(ep11Cprb.bytes, ep11Cprb.length);
  block[ep11Cprb.version] = ep11CprbVersion;
  block.write("T4", ep11Cprb.functionId, "latin1");
  block.writeUInt32BE(0xffffffff, ep11Cprb.returnCode);
  block.writeUInt32BE(payloadBytes, ep11Cprb.payloadBytes);
  return block;
}

/** Function, domain and return value, four bytes each, behind a length of any of three forms; the return value must be 0. */
function checkHead(answer: Buffer): void {
  if (answer[0] !== sequenceTag) fail("EIO");
  const form = answer[1] ?? 0;
  const lengthBytes = form < 0x80 ? 1 : form === 0x81 ? 2 : form === longForm ? 3 : fail("EIO");
  const length = lengthBytes === 1 ? form : answer.readUIntBE(2, lengthBytes - 1);
  const heads = 3;
  const headBytes = 6;
  if (length < heads * headBytes) fail("EIO");
  for (let index = 0; index < heads; index++) {
    const offset = 1 + lengthBytes + index * headBytes;
    if (answer[offset] !== valueTag || answer[offset + 1] !== 4) fail("EIO");
  }
  if (answer.readUInt32BE(1 + lengthBytes + (heads - 1) * headBytes + 2) !== 0) fail("EIO");
}
