import { generatePrimeSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { generateTestKey } from "../../../../test/support/adapter-messages.ts";
import { bytesOf, integerOf } from "./big-integer.ts";
import { type CrtKey, readCrtKey } from "./crt-key.ts";

/** More than the checks of results before p and q are tested for primes. */
const manyTimes = 1010;
const e = 65537n;

const keyOf = (...integers: [p: bigint, q: bigint, dp: bigint, dq: bigint, u: bigint]): CrtKey => {
  const [p, q, dp, dq, u] = integers.map((integer) => bytesOf(integer, 64));
  return readCrtKey({ p: p!, q: q!, dp: dp!, dq: dq!, u: u! }) as CrtKey;
};

describe("a key that is used many times", () => {
  test("gives what OpenSSL gives before and after its primes are proven", () => {
    const testKey = generateTestKey(1024);
    const key = readCrtKey(testKey) as CrtKey;
    for (let count = 0; count < manyTimes; count++) {
      const value = bytesOf(BigInt(count) ** 97n % integerOf(testKey.n), 128);
      expect(key.power(testKey.encrypt(value), 128)).toEqual(value);
    }
  });

  test("gives what its parts say though p is not prime and every check of the parts holds", () => {
    const q = prime(256);
    const p = oddProduct();
    const [dp, dq, u] = [inverse(e, p - 1n), inverse(e, q - 1n), inverse(q, p)];
    const key = keyOf(p, q, dp, dq, u);
    const value = 2n ** 300n + 7n;
    const ofQ = power(value, dq, q);
    const expected = bytesOf(ofQ + ((u * (((power(value, dp, p) - ofQ) % p) + p)) % p) * q, 64);
    for (let count = 0; count < manyTimes; count++) expect(key.power(bytesOf(value, 64), 64)).toEqual(expected);
  });
});

const prime = (bits: number): bigint => {
  for (;;) {
    const candidate = generatePrimeSync(bits, { bigint: true });
    if ((candidate - 1n) % e !== 0n) return candidate;
  }
};

/** Two primes of 128 bits whose product minus one has an inverse of e. */
function oddProduct(): bigint {
  for (;;) {
    const product = prime(128) * prime(128);
    if ((product - 1n) % e !== 0n) return product;
  }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [low, high, x, y] = [modulus, value % modulus, 0n, 1n];
  while (high !== 0n) {
    const quotient = low / high;
    [low, high, x, y] = [high, low - quotient * high, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}

function power(value: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = (((result * result) % modulus) * (bit === "1" ? value : 1n)) % modulus;
  return result;
}
