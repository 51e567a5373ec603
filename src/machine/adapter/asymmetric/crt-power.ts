import { constants, createPrivateKey, privateDecrypt } from "node:crypto";
import { byteLengthOf, bytesOf, integerOf } from "./big-integer.ts";
import { modularPower } from "./modular-power.ts";

/**
 * The private operation of a key of which only the parts for the Chinese remainder theorem are known: no modulus, no exponents.
 * p and q are odd and above 1, u is q^-1 mod p, the value is below p*q.
 */
export interface CrtOperands {
  readonly value: bigint;
  readonly p: bigint;
  readonly q: bigint;
  readonly dp: bigint;
  readonly dq: bigint;
  readonly u: bigint;
}

export const crtPower = (operands: CrtOperands): bigint => powerByPrivateKey(operands) ?? powerByHalves(operands);

const usualPublicExponents = [65537n, 3n, 17n] as const;
const minPrivateKeyBytes = 64;

/**
 * By OpenSSL's own CRT, which is fastest. It checks its result with the public exponent and, where that fails, starts again with
 * the private one; we have none, so the exponent must be the right one and the result is checked once more.
 */
function powerByPrivateKey({ value, p, q, dp, dq, u }: CrtOperands): bigint | undefined {
  const e = usualPublicExponents.find((one) => (dp * one) % (p - 1n) === 1n && (dq * one) % (q - 1n) === 1n);
  const modulus = p * q;
  const size = byteLengthOf(modulus);
  if (e === undefined || size < minPrivateKeyBytes || (u * q) % p !== 1n) return undefined;
  try {
    const parts = { n: modulus, e, d: modulus - 2n, p, q, dp, dq, qi: u };
    const names = Object.entries(parts).map(([name, part]) => [name, bytesOf(part, byteLengthOf(part)).toString("base64url")]);
    const key = createPrivateKey({ key: { kty: "RSA", ...Object.fromEntries(names) }, format: "jwk" });
    const result = integerOf(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, bytesOf(value, size)));
    return modularPower(result, e, modulus) === value ? result : undefined;
  } catch {
    return undefined;
  }
}

/** As the parts are defined, for any of them: each half by itself, put together by Garner's formula. */
function powerByHalves({ value, p, q, dp, dq, u }: CrtOperands): bigint {
  const ofP = modularPower(value % p, dp, p);
  const ofQ = modularPower(value % q, dq, q);
  const difference = (((ofP - ofQ) % p) + p) % p;
  return ofQ + ((u * difference) % p) * q;
}
