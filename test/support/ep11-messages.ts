/**
 * Requests to EP11 coprocessors as Linux's zcrypt_ep11misc.c sends them, put together from offsets alone and without the code
 * under test. Where they are whole in hexadecimal, the test that has them holds this file to them.
 */
export interface Ep11Options {
  /** Also of the payload, unless that is given. */
  readonly domain?: number;
  readonly payloadDomain?: number;
  readonly api?: number;
  /** 0x20 special, 0x80 administrative. */
  readonly flags?: number;
  readonly replyBytes?: number;
}

export const u32 = (...numbers: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return bytes;
};

/** An octet string with the shortest length. */
export function octets(value: Uint8Array): Buffer {
  const size = value.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.from([0x04, ...length, ...value]);
}

/** A request whose payload is `payload` as it is. */
export function ep11Raw(payload: Uint8Array, { domain = 4, flags = 0, replyBytes = 12 * 1024 - 48 }: Ep11Options = {}): Buffer {
  const message = Buffer.alloc(120 + payload.length);
  message[1] = 0x06;
  message.writeUInt32BE(0x58, 16);
  message.write("XC", 32, "latin1");
  message.writeUInt16BE(1, 48);
  message.writeUInt32BE(32 + payload.length, 56);
  message.writeUInt32BE(replyBytes, 72);
  message.writeUInt16BE(0x20, 88);
  message[90] = 4;
  message[93] = flags;
  message.write("T4", 94, "latin1");
  message.writeUInt32BE(domain, 100);
  message.writeUInt32BE(0xffffffff, 104);
  message.writeUInt32BE(payload.length, 116);
  message.set(payload, 120);
  return message;
}

/** A request of a function with the values that follow the domain. */
export function ep11(functionId: number, values: readonly Uint8Array[], options: Ep11Options = {}): Buffer {
  const { domain = 4, payloadDomain = domain, api = 1 } = options;
  const content = Buffer.concat([u32(api * 0x10000 + functionId), u32(payloadDomain), ...values].map(octets));
  return ep11Raw(Buffer.concat([Buffer.of(0x30, 0x82, content.length >> 8, content.length & 0xff), content]), options);
}

const empty = Buffer.alloc(0);

export const ep11Info = (type: number, options?: Ep11Options): Buffer => ep11(38, [u32(type), u32(0)], options);

export const ep11GenerateKey = (keyBytes: number, attributes: number, options?: Ep11Options): Buffer =>
  ep11(21, [u32(0), u32(keyBytes), u32(0x1080), u32(0x10010000, attributes, attributes, 0x161, keyBytes), empty], options);

/** Number and parameter. */
export const mechanism = (id: number, parameter: Uint8Array = empty): Buffer => Buffer.concat([u32(id), parameter]);

export const ep11Encrypt = (how: Uint8Array, blob: Uint8Array, data: Uint8Array, options?: Ep11Options): Buffer =>
  ep11(19, [u32(0), how, blob, data], options);

export const ep11Decrypt = (how: Uint8Array, blob: Uint8Array, data: Uint8Array, options?: Ep11Options): Buffer =>
  ep11(20, [u32(0), how, blob, data], options);

/** Without a wrapping key: by the CPACF mechanism. */
export const ep11WrapKey = (how: Uint8Array, blob: Uint8Array, wrappingBlob: Uint8Array = empty, options?: Ep11Options): Buffer =>
  ep11(33, [u32(0), how, blob, wrappingBlob, empty], options);

export interface Unwrapping {
  readonly how: Uint8Array;
  readonly wrappingBlob: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly keyBytes: number;
  readonly attributes?: number;
}

export function ep11UnwrapKey(unwrapping: Unwrapping, options?: Ep11Options): Buffer {
  const { how, wrappingBlob, wrapped, keyBytes, attributes = 0x00200c00 } = unwrapping;
  const template = u32(0x10020000, attributes, attributes, 0x100, 0x1f, 0x161, keyBytes);
  return ep11(34, [template, how, wrappingBlob, empty, empty, wrapped], options);
}
