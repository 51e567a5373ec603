import { beforeAll, describe, expect, test } from "vitest";
import { generateTestKey, type TestKey, type50Crt, type50Power } from "../../../test/support/adapter-messages.ts";
import { Mask } from "../../ap/mask.ts";
import { type AdapterProfile, adapterProfile } from "../adapter-profile.ts";
import { QueueEpoch } from "../queue-epoch.ts";
import { computingProcessor } from "./computing-processor.ts";

const processor = computingProcessor();
const domains = { usageDomains: Mask.of(4), controlDomains: Mask.of(4) };
const cex8a = adapterProfile(14, "accelerator");

function replyTo(message: Uint8Array, profile: AdapterProfile = cex8a): Buffer {
  const replies: Uint8Array[] = [];
  processor({ adapter: 6, domain: 4, profile, message, isSpecial: false, epoch: new QueueEpoch(), ...domains }, (reply) =>
    replies.push(reply),
  );
  expect(replies).toHaveLength(1);
  return Buffer.from(replies[0]!);
}

const error = (code: number): Buffer => Buffer.of(0, 0x88, 0, 0, code, 0, 0, 0);

function type80(data: Uint8Array): Buffer {
  const length = 16 + data.length;
  return Buffer.concat([Buffer.of(0, 0x80, length >> 8, length & 0xff), Buffer.alloc(12), data]);
}

const keys = new Map<number, TestKey>();
beforeAll(() => {
  for (const bits of [1024, 2048, 4096]) keys.set(bits, generateTestKey(bits));
});

describe.each([
  [1024, 1, 144],
  [2048, 2, 272],
  [4096, 3, 528],
] as const)("keys of %i bits", (bits, number, replyBytes) => {
  const pattern = Buffer.alloc(bits / 8, 0x5a);

  test("a value to the public exponent is the type 80 reply that OpenSSL's result fills", () => {
    const { e, n, encrypt } = keys.get(bits)!;
    const reply = replyTo(type50Power(number, e, n, pattern));
    expect(reply).toEqual(type80(encrypt(pattern)));
    expect(reply).toHaveLength(replyBytes);
  });

  test("the private operation by exponent and by CRT gives the value back", () => {
    const key = keys.get(bits)!;
    const encrypted = key.encrypt(pattern);
    expect(replyTo(type50Power(number, key.d, key.n, encrypted))).toEqual(type80(pattern));
    expect(replyTo(type50Crt(number, key, encrypted))).toEqual(type80(pattern));
  });

  test("results keep their leading zeros", () => {
    const key = keys.get(bits)!;
    const small = Buffer.alloc(bits / 8);
    small.write("small", small.length - 5);
    expect(replyTo(type50Crt(number, key, key.encrypt(small)))).toEqual(type80(small));
    for (const value of [Buffer.alloc(bits / 8), Buffer.concat([Buffer.alloc(bits / 8 - 1), Buffer.of(1)])]) {
      expect(replyTo(type50Crt(number, key, value))).toEqual(type80(value));
      expect(replyTo(type50Power(number, key.d, key.n, value))).toEqual(type80(value));
    }
  });

  test("modulus - 1 is its own result", () => {
    const key = keys.get(bits)!;
    const last = Buffer.from(key.n);
    last[last.length - 1]! -= 1;
    expect(replyTo(type50Power(number, key.e, key.n, last))).toEqual(type80(last));
    expect(replyTo(type50Crt(number, key, last))).toEqual(type80(last));
  });

  test("the modulus as a value is an invalid operand, an even modulus is told", () => {
    const key = keys.get(bits)!;
    const even = Buffer.from(key.n);
    even[even.length - 1]! -= 1;
    const evenPrime = Buffer.from(key.p);
    evenPrime[evenPrime.length - 1]! -= 1;
    expect(replyTo(type50Power(number, key.e, key.n, key.n))).toEqual(error(0x84));
    expect(replyTo(type50Crt(number, key, key.n))).toEqual(error(0x84));
    expect(replyTo(type50Power(number, key.e, even, pattern))).toEqual(error(0x85));
    expect(replyTo(type50Crt(number, { ...key, p: evenPrime }, pattern))).toEqual(error(0x85));
    expect(replyTo(type50Power(number, Buffer.alloc(1), key.n, pattern))).toEqual(error(0x82));
  });
});

test("a key that is shorter than its class fills its fields from the right", () => {
  const key = generateTestKey(768);
  const value = Buffer.alloc(96, 7);
  const expected = Buffer.concat([Buffer.alloc(32), key.encrypt(value)]);
  expect(replyTo(type50Power(1, key.e, key.n, value))).toEqual(type80(expected));
  expect(replyTo(type50Crt(1, key, key.encrypt(value)))).toEqual(type80(Buffer.concat([Buffer.alloc(32), value])));
});

describe("what is no message of type 50", () => {
  const good = (): Buffer => type50Power(1, Buffer.of(3), Buffer.of(33), Buffer.of(2));
  const changed = (offset: number, value: number): Buffer => {
    const message = good();
    message[offset] = value;
    return message;
  };

  test("changed by nothing is good", () => {
    expect(replyTo(good()).at(-1)).toBe(8);
    expect(replyTo(changed(5, 0xff)).at(-1)).toBe(8);
  });

  test.each<[string, Uint8Array, number]>([
    ["nothing", new Uint8Array(0), 0x23],
    ["fifteen bytes", new Uint8Array(15), 0x23],
    ["the driver's test message of zeros", new Uint8Array(16), 0x20],
    ["type 6", changed(1, 0x06), 0x20],
    ["another length than its header's", good().subarray(0, 399), 0x23],
    ["a byte more than its header's length", Buffer.concat([good(), Buffer.alloc(1)]), 0x23],
    ["a key block that there is not", changed(9, 0x04), 0x34],
    ["a key block of another class", changed(9, 0x02), 0x23],
    ["a CRT key block of another length", changed(9, 0x11), 0x23],
    ["a reserved byte in the header", changed(7, 1), 0x24],
    ["a reserved byte in the key block", changed(15, 1), 0x24],
  ])("%s is an error of type 88", (_, message, code) => {
    expect(replyTo(message)).toEqual(error(code));
  });

  test("4096-bit keys are not known to a CEX2A, whose driver takes 272 bytes, nor to a card without that facility", () => {
    const key = keys.get(4096)!;
    const value = Buffer.of(2);
    const plain: AdapterProfile = { ...cex8a, functions: 0x08000000 };
    for (const profile of [adapterProfile(6, "accelerator"), plain]) {
      expect(replyTo(type50Power(3, key.e, key.n, value), profile)).toEqual(error(0x34));
      expect(replyTo(type50Crt(3, key, value), profile)).toEqual(error(0x34));
      expect(replyTo(type50Power(2, Buffer.of(3), Buffer.of(33), value), profile)).toHaveLength(272);
    }
  });
});
