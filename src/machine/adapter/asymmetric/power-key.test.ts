import { generatePrimeSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { generateTestKey } from "../../../../test/support/adapter-messages.ts";
import { byteLengthOf, bytesOf, integerOf } from "./big-integer.ts";
import { modularPower } from "./modular-power.ts";
import { type PowerKey, readPowerKey } from "./power-key.ts";

const keyOf = (modulus: Uint8Array, exponent: Uint8Array): PowerKey => readPowerKey({ modulus, exponent }) as PowerKey;
/** More than a key is used before its primes are looked for. */
const manyUses = 20;

describe.each([
  [1024, 65537],
  [1024, 3],
  [2048, 65537],
  [2048, 17],
])("a private exponent of %i bits to %i", (bits, publicExponent) => {
  const { n, d, bytes, decrypt } = generateTestKey(bits, publicExponent);

  test("that keeps coming is factored, and gives what OpenSSL gives before and after", () => {
    const key = keyOf(n, d);
    for (let use = 0; use < manyUses; use++) {
      const value = Buffer.alloc(bytes, use + 1);
      value[0] = 0;
      expect(Buffer.from(key.power(value, bytes) as Uint8Array)).toEqual(decrypt(value));
    }
    expect(key.isFactored).toBe(true);
    for (const value of [0n, 1n, integerOf(n) - 1n]) {
      expect(integerOf(key.power(bytesOf(value, bytes), bytes) as Uint8Array)).toBe(modularPower(value, integerOf(d), integerOf(n)));
    }
    expect(key.power(n, bytes)).toBe("value-too-large");
    expect(key.power(Buffer.of(1), bytes - 1)).toBe("modulus-too-long");
  });
});

const [first, second, unusual, short] = [generateTestKey(1024), generateTestKey(1024), generateTestKey(1024, 257), generateTestKey(512)];

test.each<[string, Uint8Array, Uint8Array]>([
  ["another exponent", first.n, bytesOf(integerOf(first.d) - 2n, first.bytes)],
  ["a private exponent to an unusual public one", unusual.n, unusual.d],
  ["a private exponent of three primes", ...ofThreePrimes()],
  [
    "a private exponent of one long prime and a short one",
    ...ofPrimes(generatePrimeSync(1000, { bigint: true }), generatePrimeSync(24, { bigint: true })),
  ],
  ["a short private exponent", short.n, short.d],
  ["a public exponent", first.n, Buffer.of(1, 0, 1)],
])("%s is not factored, and stays right", (_, modulus, exponent) => {
  const key = keyOf(modulus, exponent);
  for (let use = 0; use < manyUses; use++) {
    const expected = modularPower(BigInt(use + 2), integerOf(exponent), integerOf(modulus));
    expect(integerOf(key.power(Buffer.of(use + 2), modulus.length) as Uint8Array)).toBe(expected);
  }
  expect(key.isFactored).toBe(false);
});

function ofThreePrimes(): [Uint8Array, Uint8Array] {
  return ofPrimes(...[first.p, first.q, second.p].map(integerOf));
}

/** Modulus and private exponent to 65537. */
function ofPrimes(...primes: readonly bigint[]): [Uint8Array, Uint8Array] {
  const modulus = primes.reduce((product, prime) => product * prime);
  const order = primes.reduce((product, prime) => product * (prime - 1n), 1n);
  // 1 + k * order is a multiple of 65537 for the k that is -1 / order there.
  const k = 65537n - modularPower(order % 65537n, 65535n, 65537n);
  const size = byteLengthOf(modulus);
  return [bytesOf(modulus, size), bytesOf((1n + k * order) / 65537n, size)];
}
