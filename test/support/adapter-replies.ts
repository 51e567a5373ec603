/** Replies of adapters, put together from offsets alone. */
export const errorReply = (type: number, code: number): Buffer => Buffer.of(0, type, 0, 0, code, 0, 0, 0);

export function type80Reply(size: number, result: Uint8Array): Buffer {
  const reply = Buffer.alloc(16 + size);
  reply[1] = 0x80;
  reply.writeUInt16BE(reply.length, 2);
  reply.set(result, reply.length - result.length);
  return reply;
}

export interface Type86Options {
  readonly returnCode?: number;
  readonly reasonCode?: number;
  readonly replyCode?: number;
  readonly version?: number;
}

/** Header, CPRBX, parameters, data. */
export function type86Reply(parameters: Uint8Array, data: Uint8Array, options: Type86Options = {}): Buffer {
  const block = 220 + parameters.length;
  const reply = Buffer.alloc(48 + block + data.length);
  reply[1] = 0x86;
  reply[2] = 2;
  reply[4] = options.replyCode ?? 0;
  reply.writeUInt32BE(block, 16);
  reply.writeUInt32BE(48, 20);
  reply.writeUInt32BE(data.length, 24);
  reply.writeUInt32BE(48 + block, 28);
  reply.writeUInt16BE(0xdc, 48);
  reply[50] = options.version ?? 2;
  reply.writeUInt16BE(options.returnCode ?? 0, 192);
  reply.writeUInt16BE(options.reasonCode ?? 0, 194);
  reply.set(parameters, 268);
  reply.set(data, 268 + parameters.length);
  return reply;
}

/** Of a verb of RSA: the result, and an empty key block behind it. */
export function icaReply(result: Uint8Array, options: Type86Options = {}): Buffer {
  const parameters = Buffer.concat([Buffer.of(0x50, 0x4b, 0, 2, 0, 0), result, Buffer.of(0, 2)]);
  parameters.writeUInt16BE(result.length + 2, 4);
  return type86Reply(parameters, Buffer.alloc(0), options);
}

/** Of EP11: control block of 32 bytes and payload. */
export function ep11Reply(payload: Uint8Array, { returnCode = 0, version = 4 } = {}): Buffer {
  const reply = Buffer.alloc(80 + payload.length);
  reply[1] = 0x86;
  reply[2] = 2;
  reply.writeUInt32BE(32 + payload.length, 16);
  reply.writeUInt32BE(48, 20);
  reply.writeUInt16BE(32, 48);
  reply[50] = version;
  reply.writeUInt32BE(returnCode, 64);
  reply.writeUInt32BE(payload.length, 76);
  reply.set(payload, 80);
  return reply;
}
