import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";

/**
 * Messages to adapters as the kernel's drivers write them, put together from offsets alone and without the code under test;
 * and keys, of which OpenSSL says what the result is.
 */
export interface TestKey {
  readonly bytes: number;
  readonly n: Buffer;
  readonly e: Buffer;
  readonly d: Buffer;
  readonly p: Buffer;
  readonly q: Buffer;
  readonly dp: Buffer;
  readonly dq: Buffer;
  readonly u: Buffer;
  readonly encrypt: (value: Uint8Array) => Buffer;
  readonly decrypt: (value: Uint8Array) => Buffer;
}

export function generateTestKey(bits: number, publicExponent = 65537): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits, publicExponent });
  const jwk = privateKey.export({ format: "jwk" });
  const part = (name: keyof typeof jwk): Buffer => Buffer.from(jwk[name] as string, "base64url");
  const raw = (key: KeyObject) => ({ key, padding: constants.RSA_NO_PADDING });
  return {
    ...{ bytes: bits / 8, n: part("n"), e: part("e"), d: part("d"), p: part("p"), q: part("q") },
    ...{ dp: part("dp"), dq: part("dq"), u: part("qi") },
    encrypt: (value) => publicEncrypt(raw(publicKey), value),
    decrypt: (value) => privateDecrypt(raw(privateKey), value),
  };
}

export type CrtParts = Pick<TestKey, "p" | "q" | "dp" | "dq" | "u">;

const right = (part: Uint8Array, size: number): Buffer => Buffer.concat([Buffer.alloc(Math.max(0, size - part.length)), part]);
const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

/** MEB1, MEB2, MEB3 by number 1 to 3. */
export function type50Power(number: 1 | 2 | 3, exponent: Uint8Array, modulus: Uint8Array, value: Uint8Array): Buffer {
  const size = 64 << number;
  const message = Buffer.alloc([400, 784, 1552][number - 1]!);
  message[1] = 0x50;
  message.writeUInt16BE(message.length, 2);
  message.writeUInt16BE(number, 8);
  right(exponent, size).copy(message, 16);
  right(modulus, size).copy(message, [144, 272, 528][number - 1]);
  right(value, size).copy(message, [272, 528, 1040][number - 1]);
  return message;
}

const crtOffsets = [
  [16, 80, 144, 208, 272, 336],
  [16, 144, 272, 400, 528, 656],
  [16, 272, 528, 784, 1040, 1296],
] as const;

/** CRB1, CRB2, CRB3 by number 1 to 3. */
export function type50Crt(number: 1 | 2 | 3, { p, q, dp, dq, u }: CrtParts, value: Uint8Array): Buffer {
  const message = Buffer.alloc([464, 912, 1808][number - 1]!);
  message[1] = 0x50;
  message.writeUInt16BE(message.length, 2);
  message.writeUInt16BE(0x10 + number, 8);
  for (const [index, part] of [p, q, dp, dq, u, value].entries()) {
    right(part, index < 5 ? 32 << number : 64 << number).copy(message, crtOffsets[number - 1]![index]);
  }
  return message;
}

export interface Type6Options {
  readonly domain?: number;
  readonly replyBytes?: number;
  readonly replyDataBytes?: number;
}

/** A type 6 request with a parameter block that starts with its verb. */
export function type6(parameters: Uint8Array, { domain = 4, replyBytes = 0x77c - 88, replyDataBytes = 0 }: Type6Options = {}): Buffer {
  const message = Buffer.alloc(308 + parameters.length);
  message[1] = 0x06;
  message.writeUInt32BE(0x58, 16);
  message.write("CA", 32, "latin1");
  Buffer.from(parameters).copy(message, 52, 0, 2);
  message.writeUInt32BE(220 + parameters.length, 56);
  message.writeUInt32BE(replyBytes, 72);
  message.writeUInt32BE(replyDataBytes, 76);
  message.writeUInt16BE(0x00dc, 88);
  message[90] = 2;
  message.write("T2", 94, "latin1");
  message.writeUInt32BE(parameters.length, 100);
  message.writeUInt32BE(replyBytes, 108);
  message.writeUInt32BE(replyDataBytes, 116);
  message.writeUInt16BE(domain, 258);
  Buffer.from(parameters).copy(message, 308);
  return message;
}

const verb = (name: string, rule: string, value: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(name), u16(10), Buffer.from(rule), u16(value.length + 2), value]);

/** 'PK'. A driver without the leading zeros of an exponent sends a shorter one. */
export function icaPower(exponent: Uint8Array, modulus: Uint8Array, value: Uint8Array, options?: Type6Options): Buffer {
  const n = modulus.length;
  const section = Buffer.concat([
    ...[Buffer.of(4, 0), u16(12 + exponent.length + n), u16(0), u16(exponent.length), u16(8 * n), u16(n)],
    ...[exponent, modulus],
  ]);
  const token = Buffer.concat([Buffer.of(0x1e, 0), u16(section.length + 8), Buffer.alloc(4), section]);
  return type6(Buffer.concat([verb("PK", "MRP     ", value), u16(token.length + 6), u16(token.length + 4), u16(0), token]), options);
}

/** 'PD', for a modulus of `n` bytes. */
export function icaCrt(n: number, { p, q, dp, dq, u }: CrtParts, value: Uint8Array, options?: Type6Options): Buffer {
  const short = (n + 1) >> 1;
  const long = short + 8;
  const padding = -(3 * long + 2 * short) & 7;
  const parts = [right(p, long), right(q, short), right(dp, long), right(dq, short), right(u, long), Buffer.alloc(padding)];
  const privateSection = Buffer.concat([Buffer.alloc(132), ...parts, Buffer.alloc(n, 0xff)]);
  privateSection[0] = 8;
  privateSection.writeUInt16BE(privateSection.length, 2);
  privateSection[28] = 0x40;
  privateSection[50] = 0x80;
  for (const [index, length] of [long, short, long, short, long, n].entries()) privateSection.writeUInt16BE(length, 54 + 2 * index);
  privateSection.writeUInt16BE(padding, 70);
  const publicSection = Buffer.concat([Buffer.of(4, 0), u16(15), u16(0), u16(3), u16(8 * n), u16(0), Buffer.of(1, 0, 1)]);
  const tokenBytes = 8 + privateSection.length + publicSection.length;
  const token = Buffer.concat([Buffer.of(0x1e, 0), u16(tokenBytes), Buffer.alloc(4), privateSection, publicSection]);
  return type6(Buffer.concat([verb("PD", "ZERO-PAD", value), u16(tokenBytes + 6), u16(tokenBytes + 4), u16(0), token]), options);
}

/** 'RL', for 4096 bytes as the kernel asks. */
export const randomLong = (options: Type6Options = {}): Buffer =>
  type6(Buffer.concat([Buffer.from("RL"), u16(10), Buffer.from("RANDOM  "), u16(2), u16(2)]), {
    ...{ replyBytes: 236, replyDataBytes: 4096 },
    ...options,
  });
