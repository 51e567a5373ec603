import { describe, expect, test } from "vitest";
import { generateTestKey, icaCrt, icaPower, randomLong, type50Crt, type50Power } from "../../../../test/support/adapter-messages.ts";
import { readEp11Payload } from "./ep11-payload.ts";
import { icaMessage } from "./ica-message.ts";
import { randomMessage } from "./random-message.ts";
import { type50Message } from "./type50-message.ts";

const keys = [generateTestKey(1024), generateTestKey(2048)];

/** What was put together from offsets alone, by somebody else. */
describe("messages are what the drivers send", () => {
  test.each(keys)("of type 50, for a modulus of $bytes bytes", (key) => {
    const input = Buffer.alloc(key.bytes, 0x17);
    const number = key.bytes === 128 ? 1 : 2;
    expect(type50Message({ input, exponent: key.e, modulus: key.n }, 512)).toEqual(type50Power(number, key.e, key.n, input));
    expect(type50Message({ input, ...key }, 512)).toEqual(type50Crt(number, key, input));
  });

  test.each([
    [1, 1],
    [128, 1],
    [129, 2],
    [256, 2],
    [257, 3],
    [512, 3],
  ] as const)("of type 50, %i bytes long, in block %i", (bytes, number) => {
    const value = Buffer.alloc(bytes, 0x81);
    expect(type50Message({ input: value, exponent: value, modulus: value }, 512)).toEqual(type50Power(number, value, value, value));
    const half = value.subarray(0, (bytes + 1) >> 1);
    const parts = { p: half, q: half, dp: half, dq: half, u: half };
    expect(type50Message({ input: value, ...parts }, 512)).toEqual(type50Crt(number, parts, value));
  });

  test("of type 50 for more than the card takes is EINVAL", () => {
    const value = Buffer.alloc(257, 1);
    expect(() => type50Message({ input: value, p: value, q: value, dp: value, dq: value, u: value }, 256)).toThrow("EINVAL");
    const long = Buffer.alloc(513, 1);
    expect(() => type50Message({ input: long, exponent: long, modulus: long }, 512)).toThrow("EINVAL");
  });

  test.each(keys)("of type 6, for a modulus of $bytes bytes", (key) => {
    const input = Buffer.alloc(key.bytes, 0x17);
    const exponent = Buffer.concat([Buffer.alloc(key.bytes - key.e.length), key.e]);
    expect(icaMessage({ input, exponent: key.e, modulus: key.n }, 4)).toEqual(icaPower(exponent, key.n, input, { domain: 4 }));
    const crt = icaCrt(key.bytes, key, input, { domain: 0xab });
    // The driver's room for the reply's control block is, for CRT, what the request has.
    crt.writeUInt32BE(crt.readUInt32BE(100), 108);
    expect(icaMessage({ input, ...key }, 0xab)).toEqual(crt);
  });

  test("for random numbers", () => {
    expect(randomMessage(4)).toEqual(randomLong({ domain: 4 }));
    expect(randomMessage(4)).toHaveLength(324);
  });
});

describe("the payload of an EP11 request", () => {
  const domain = [4, 4, 0, 0, 0, 7];

  test.each([
    ["function and domain", [0x30, 0x82, 0, 12, 4, 4, 0, 1, 0, 38, ...domain], 38, { offset: 12, bytes: 4 }],
    ["a function of one byte alone", [0x30, 3, 4, 1, 33], 33, undefined],
    ["lengths in four bytes", [0x30, 0x84, 0, 0, 0, 6, 4, 0x81, 2, 1, 21, 0], 0x115, undefined],
    ["a domain of one byte", [0x30, 6, 4, 1, 21, 4, 1, 9], 21, { offset: 7, bytes: 1 }],
  ] as const)("of %s", (_title, bytes, functionNumber, domainValue) => {
    const payload = readEp11Payload(Uint8Array.from(bytes));
    expect([payload.functionNumber, payload.findDomain()]).toEqual([functionNumber, domainValue]);
  });

  test.each([
    ["another tag", [0x31, 3, 4, 1, 33]],
    ["a length beyond its end", [0x30, 9, 4, 1, 33]],
    ["a length of three bytes", [0x30, 0x83, 0, 0, 3, 4, 1, 33]],
    ["no length", [0x30]],
    ["a cut length", [0x30, 0x84, 0, 0]],
    ["a function with another tag", [0x30, 3, 5, 1, 33]],
    ["a function of three bytes", [0x30, 5, 4, 3, 0, 0, 33]],
    ["a function beyond its end", [0x30, 3, 4, 4, 33]],
  ])("with %s is EINVAL", (_title, bytes) => {
    expect(() => readEp11Payload(Uint8Array.from(bytes))).toThrow("EINVAL");
  });

  test.each([
    ["another tag", [0x30, 6, 4, 1, 21, 5, 1, 9]],
    ["three bytes", [0x30, 8, 4, 1, 21, 4, 3, 0, 0, 9]],
  ])("with a domain of %s is EINVAL when it is looked for", (_title, bytes) => {
    expect(() => readEp11Payload(Uint8Array.from(bytes)).findDomain()).toThrow("EINVAL");
  });
});
