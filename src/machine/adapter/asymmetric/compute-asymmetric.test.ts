import { describe, expect, test } from "vitest";
import { generateTestKey, type TestKey } from "../../../../test/support/adapter-messages.ts";
import type { CrtTask, PowerTask } from "./asymmetric-task.ts";
import { computeAsymmetric } from "./compute-asymmetric.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** The textbook's key: p = 61, q = 53, n = 3233, e = 17, d = 413; 65^17 = 2790. */
const power: PowerTask = { kind: "power", value: bytes(65), exponent: bytes(17), modulus: bytes(0x0c, 0xa1), size: 2 };
const crt: CrtTask = {
  ...{ kind: "crt", value: bytes(0x0a, 0xe6), p: bytes(61), q: bytes(53), dp: bytes(53), dq: bytes(49), u: bytes(38) },
  size: 2,
};

describe("the textbook's key", () => {
  test("encrypts and decrypts", () => {
    expect(computeAsymmetric(power)).toEqual(Buffer.of(0x0a, 0xe6));
    expect(computeAsymmetric(crt)).toEqual(Buffer.of(0, 65));
  });

  test("fills a larger result with zeros on the left and takes operands with such zeros", () => {
    const exponent = bytes(0, 0, 17);
    expect(computeAsymmetric({ ...power, exponent, value: bytes(0, 0, 0, 65), size: 5 })).toEqual(Buffer.of(0, 0, 0, 0x0a, 0xe6));
    expect(computeAsymmetric({ ...crt, p: bytes(0, 0, 61), u: bytes(0, 38), size: 4 })).toEqual(Buffer.of(0, 0, 0, 65));
  });
});

test.each<[string, PowerTask | CrtTask, string]>([
  ["an even modulus", { ...power, modulus: bytes(0x0c, 0xa0) }, "even-modulus"],
  ["a modulus of 0", { ...power, modulus: bytes(0, 0) }, "even-modulus"],
  ["a modulus without bytes", { ...power, modulus: bytes() }, "even-modulus"],
  ["a modulus of 1", { ...power, modulus: bytes(1) }, "invalid-key"],
  ["an exponent of 0", { ...power, exponent: bytes(0) }, "invalid-key"],
  ["a value that is the modulus", { ...power, value: power.modulus }, "value-too-large"],
  ["a value above the modulus", { ...power, value: bytes(0xff, 0xff) }, "value-too-large"],
  ["a modulus longer than the result may be", { ...power, size: 1 }, "modulus-too-long"],
  ["an even p", { ...crt, p: bytes(60) }, "even-modulus"],
  ["a q of 0", { ...crt, q: bytes(0) }, "even-modulus"],
  ["a p of 1", { ...crt, p: bytes(1) }, "invalid-key"],
  ["p and q that are the same", { ...crt, q: bytes(61) }, "invalid-key"],
  ["a dp of 0", { ...crt, dp: bytes(0) }, "invalid-key"],
  ["a dq of 0", { ...crt, dq: bytes(0) }, "invalid-key"],
  ["a u of 0", { ...crt, u: bytes(0) }, "invalid-key"],
  ["a value that is p times q", { ...crt, value: bytes(0x0c, 0xa1) }, "value-too-large"],
  ["primes too long for the result", { ...crt, size: 1 }, "modulus-too-long"],
])("%s is refused", (_, task, problem) => {
  expect(computeAsymmetric(task)).toBe(problem);
});

describe.each([
  [512, 65537],
  [1024, 3],
  [1024, 17],
  [1024, 257],
  [1024, 2 ** 31 + 11],
  [2048, 65537],
  [2048, 5],
])("a CRT key of %i bits with the public exponent %i", (bits, publicExponent) => {
  const key = generateTestKey(bits, publicExponent);
  const task = (value: Uint8Array, parts: Partial<TestKey> = {}): CrtTask => {
    const { p, q, dp, dq, u } = { ...key, ...parts };
    return { kind: "crt", p, q, dp, dq, u, value, size: key.bytes };
  };

  test("gives what OpenSSL gives, also for 0, 1, 2 and modulus - 1", () => {
    const last = Buffer.from(key.n);
    last[last.length - 1]! -= 1;
    for (const value of [[0], [1], [2], key.d].map((value) => Buffer.from(value)).concat(last)) {
      const full = Buffer.concat([Buffer.alloc(key.bytes - value.length), value]);
      expect(computeAsymmetric(task(value))).toEqual(key.decrypt(full));
    }
  });

  test("of parts that do not fit each other gives what the parts say", () => {
    const value = key.encrypt(Buffer.alloc(key.bytes, 1));
    for (const parts of [{ u: Buffer.of(3) }, { dp: Buffer.of(5) }, { p: Buffer.alloc(key.p.length, 0xff) }]) {
      const wrong = task(value, parts);
      const [base, p, q, dp, dq, u] = [value, wrong.p, wrong.q, wrong.dp, wrong.dq, wrong.u].map(integer) as Six;
      const ofQ = slowPower(base % q, dq, q);
      const factor = (u * (slowPower(base % p, dp, p) - ofQ)) % p;
      expect(integer(computeAsymmetric(wrong) as Uint8Array)).toBe(ofQ + ((factor + p) % p) * q);
    }
  });
});

type Six = [bigint, bigint, bigint, bigint, bigint, bigint];

const integer = (part: Uint8Array): bigint => BigInt(`0x${Buffer.from(part).toString("hex")}`);

function slowPower(value: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = (((result * result) % modulus) * (bit === "1" ? value : 1n)) % modulus;
  return result;
}
