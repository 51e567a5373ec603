import { type CrtRequest, type PowerRequest, type RsaRequest, rightAligned } from "./rsa-request.ts";
import { type6Header } from "./type6-layout.ts";
import { cprbxBlock, type6Message } from "./type6-message.ts";

/**
 * RSA as a CCA coprocessor takes it: the verbs PK (modulus and exponent) and PD (CRT), each with one rule, the input and a key block of a
 * token with sections. Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c; zcrypt_cca_key.h, zcrypt_type6_mex_key_en, zcrypt_type6_crt_key.
 */
const mostReplyBytes = 0x77c - type6Header.bytes;

export function icaMessage(request: RsaRequest, domain: number): Buffer {
  if ("modulus" in request) {
    const parameters = verb("PK", "MRP     ", request.input, publicToken(request));
    return message(parameters, domain, mostReplyBytes);
  }
  const parameters = verb("PD", "ZERO-PAD", request.input, crtToken(request));
  return message(parameters, domain, parameters.length);
}

function message(parameters: Buffer, domain: number, replyBlockBytes: number): Buffer {
  const block = cprbxBlock({ domain, parameters, replyBlockBytes });
  return type6Message({ agent: "CA", functionCode: parameters, block, replyBytes: mostReplyBytes });
}

function verb(name: string, rule: string, input: Uint8Array, token: Buffer): Buffer {
  const keyBlockHeader = [u16(token.length + 6), u16(token.length + 4), u16(0)];
  return Buffer.concat([Buffer.from(name), u16(10), Buffer.from(rule), u16(input.length + 2), input, ...keyBlockHeader, token]);
}

const u16 = (value: number): Buffer => Buffer.of(value >>> 8, value & 0xff);

const tokenHeader = { bytes: 8, identifier: 0x1e } as const;
const publicSection = { bytes: 12, identifier: 4, length: 2, exponentBytes: 6, modulusBits: 8, modulusBytes: 10 } as const;

function token(...sections: readonly Buffer[]): Buffer {
  const bytes = tokenHeader.bytes + sections.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Buffer.of(tokenHeader.identifier, 0), u16(bytes), Buffer.alloc(4), ...sections]);
}

function publicToken({ input, exponent, modulus }: PowerRequest): Buffer {
  const size = input.length;
  const section = Buffer.concat([Buffer.alloc(publicSection.bytes), rightAligned(exponent, size), rightAligned(modulus, size)]);
  section[0] = publicSection.identifier;
  section.writeUInt16BE(section.length, publicSection.length);
  section.writeUInt16BE(size, publicSection.exponentBytes);
  section.writeUInt16BE(8 * size, publicSection.modulusBits);
  section.writeUInt16BE(size, publicSection.modulusBytes);
  return token(section);
}

const privateSection = {
  bytes: 132,
  identifier: 8,
  length: 2,
  keyFormat: 28,
  usage: 50,
  partLengths: { p: 54, q: 56, dp: 58, dq: 60, u: 62, modulus: 64 },
  paddingBytes: 70,
} as const;
/** Of a CRT key whose modulus is not sent: filled with ones. */
const publicExponent = Buffer.of(1, 0, 1);

function crtToken(request: CrtRequest): Buffer {
  const size = request.input.length;
  const short = (size + 1) >> 1;
  const long = short + 8;
  const padding = -(3 * long + 2 * short) & 7;
  const lengths = { p: long, q: short, dp: long, dq: short, u: long, modulus: size };
  const section = Buffer.concat([
    Buffer.alloc(privateSection.bytes),
    ...(["p", "q", "dp", "dq", "u"] as const).map((name) => rightAligned(request[name], lengths[name])),
    Buffer.alloc(padding),
    Buffer.alloc(size, 0xff),
  ]);
  section[0] = privateSection.identifier;
  section.writeUInt16BE(section.length, privateSection.length);
  section[privateSection.keyFormat] = 0x40;
  section[privateSection.usage] = 0x80;
  for (const name of ["p", "q", "dp", "dq", "u", "modulus"] as const) {
    section.writeUInt16BE(lengths[name], privateSection.partLengths[name]);
  }
  section.writeUInt16BE(padding, privateSection.paddingBytes);

  const exponentSection = Buffer.concat([Buffer.alloc(publicSection.bytes), publicExponent]);
  exponentSection[0] = publicSection.identifier;
  exponentSection.writeUInt16BE(exponentSection.length, publicSection.length);
  exponentSection.writeUInt16BE(publicExponent.length, publicSection.exponentBytes);
  exponentSection.writeUInt16BE(8 * size, publicSection.modulusBits);
  return token(section, exponentSection);
}
