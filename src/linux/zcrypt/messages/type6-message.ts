import { cprbx, cprbxVersion, type6Header } from "./type6-layout.ts";

/** A message of type 6 around a control block. With data, if only of length 0, the block is filled up to a multiple of four. */
export interface Type6Parts {
  /** `CA` or `XC`. */
  readonly agent: string;
  readonly requestId?: number;
  /** The two bytes that name the function, or zeros. */
  readonly functionCode: Uint8Array;
  readonly block: Uint8Array;
  readonly data?: Uint8Array;
  readonly replyBytes: number;
  readonly replyDataBytes?: number;
}

export function type6Message(parts: Type6Parts): Buffer {
  const { block, data } = parts;
  const padded = multipleOfFour(block.length);
  const message = Buffer.alloc(type6Header.bytes + (data ? padded + data.length : block.length));
  message[type6Header.type] = 6;
  message.writeUInt32BE(type6Header.bytes, type6Header.offset1);
  message.write(parts.agent, type6Header.agent, 2, "latin1");
  message.writeUInt16BE(parts.requestId ?? 0, type6Header.requestId);
  message.set(parts.functionCode.subarray(0, 2), type6Header.functionCode);
  message.writeUInt32BE(block.length, type6Header.requestBytes);
  message.writeUInt32BE(parts.replyBytes, type6Header.replyBytes);
  message.writeUInt32BE(parts.replyDataBytes ?? 0, type6Header.replyDataBytes);
  message.set(block, type6Header.bytes);
  if (data && data.length > 0) {
    message.writeUInt32BE(type6Header.bytes + padded, type6Header.offset2);
    message.writeUInt32BE(data.length, type6Header.requestDataBytes);
    message.set(data, type6Header.bytes + padded);
  }
  return message;
}

export const multipleOfFour = (length: number): number => (length + 3) & ~3;

export interface CprbxParts {
  readonly domain: number;
  /** The verb and what follows it. */
  readonly parameters: Uint8Array;
  readonly replyBlockBytes: number;
  readonly replyDataBytes?: number;
}

/** A control block for a program's request to a CCA coprocessor. */
export function cprbxBlock({ domain, parameters, replyBlockBytes, replyDataBytes }: CprbxParts): Buffer {
  const block = Buffer.alloc(cprbx.bytes + parameters.length);
  block.writeUInt16BE(cprbx.bytes, cprbx.length);
  block[cprbx.version] = cprbxVersion;
  block.write("T2", cprbx.functionId, "latin1");
  block.writeUInt32BE(parameters.length, cprbx.requestParameterBytes);
  block.writeUInt32BE(replyBlockBytes, cprbx.replyBlockBytes);
  block.writeUInt32BE(replyDataBytes ?? 0, cprbx.replyDataBytes);
  block.writeUInt16BE(domain, cprbx.domain);
  block.set(parameters, cprbx.bytes);
  return block;
}
