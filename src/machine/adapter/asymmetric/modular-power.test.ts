import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { modularPower } from "./modular-power.ts";

/** Square and multiply, bit for bit. */
function reference(value: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = (((result * result) % modulus) * (bit === "1" ? value : 1n)) % modulus;
  return result;
}

const randomInteger = (bytes: number): bigint => BigInt(`0x${randomBytes(bytes).toString("hex")}`);

describe.each([1, 20, 63, 64, 65, 128, 256, 384, 385, 512])("a power modulo an odd number of %i bytes", (size) => {
  const modulus = randomInteger(size) | (1n << BigInt(8 * size - 1)) | 1n;
  const exponents: [string, bigint][] = [
    ["0", 0n],
    ["1", 1n],
    ["2", 2n],
    ["3", 3n],
    ["65537", 65537n],
    ["an odd one", randomInteger(size) | 1n],
    ["an even one", (randomInteger(size) >> 1n) << 1n],
    ["modulus - 1", modulus - 1n],
    ["one above the modulus", modulus + 2n],
  ];

  test.each(exponents)("is what squaring and multiplying gives for the exponent %s", (_, exponent) => {
    for (const value of [0n, 1n, 2n, randomInteger(size) % modulus, modulus - 1n]) {
      expect(modularPower(value, exponent, modulus)).toBe(reference(value, exponent, modulus));
    }
  });
});

test("a power that is 1 though the value is not comes out, which OpenSSL's key exchange refuses", () => {
  const modulus = 2n ** 3200n + 1n;
  expect(modularPower(4n, 3200n, modulus)).toBe(1n);
  expect(modularPower(4n, 3200n * 2n ** 80n, modulus)).toBe(1n);
});
