import { checkPrimeSync, constants, createPrivateKey, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import type { CrtTask, OperandProblem } from "./asymmetric-task.ts";
import { byteLengthOf, bytesOf, integerOf, inverseOf } from "./big-integer.ts";
import { modularPower } from "./modular-power.ts";

/**
 * A key of which only the parts for the Chinese remainder theorem are known: no modulus, no exponents. What depends on it alone is done once;
 * more than half of the time of a first operation is OpenSSL's own preparation (blinding), which the key object keeps.
 */
export type CrtParts = Pick<CrtTask, "p" | "q" | "dp" | "dq" | "u">;

/** The key that the parts make, or why none: p and q are odd and above 1, nothing is 0. */
export function readCrtKey(parts: CrtParts): CrtKey | OperandProblem {
  const [p, q, dp, dq, u] = [parts.p, parts.q, parts.dp, parts.dq, parts.u].map(integerOf) as Five;
  if ((p & 1n) === 0n || (q & 1n) === 0n) return "even-modulus";
  if (p === 1n || q === 1n || p === q || dp === 0n || dq === 0n || u === 0n) return "invalid-key";
  return new CrtKey(parts, { p, q, dp, dq, u });
}

type Five = [bigint, bigint, bigint, bigint, bigint];
type FiveParts = [Buffer, Buffer, Buffer, Buffer, Buffer];

interface CrtIntegers {
  readonly p: bigint;
  readonly q: bigint;
  readonly dp: bigint;
  readonly dq: bigint;
  readonly u: bigint;
}

/**
 * OpenSSL checks its result with the public exponent and, where that fails, starts again with the private exponent. We have none and
 * cannot see that it did: so each result is checked once more, a twelfth of the work, until p and q are known to be prime. Then the check
 * cannot fail. A test for primes costs as much as a thousand checks, so it comes after as many; with a longer modulus the check is
 * less than a fortieth of the work, and stays.
 */
const checksBeforeProof = 1000;
const maxProvenBytes = 256;

export class CrtKey {
  readonly #integers: CrtIntegers;
  readonly #modulus: Buffer;
  readonly #privateKey: KeyObject | undefined;
  #checks = 0;
  #isProven = false;

  /** Of primes and a private exponent that belongs to them and to one of the usual public exponents. */
  static ofPrimes(p: bigint, q: bigint, d: bigint): CrtKey {
    const integers = { p, q, dp: d % (p - 1n), dq: d % (q - 1n), u: inverseOf(q, p) };
    const { dp, dq, u } = integers;
    const [pBytes, qBytes, dpBytes, dqBytes, uBytes] = [p, q, dp, dq, u].map((part) => bytesOf(part, byteLengthOf(part))) as FiveParts;
    const key = new CrtKey({ p: pBytes, q: qBytes, dp: dpBytes, dq: dqBytes, u: uBytes }, integers);
    key.#isProven = true;
    return key;
  }

  constructor(parts: CrtParts, integers: CrtIntegers) {
    const modulus = integers.p * integers.q;
    this.#integers = integers;
    this.#modulus = bytesOf(modulus, byteLengthOf(modulus));
    this.#privateKey = importKey(parts, integers, this.#modulus);
  }

  /** The value's power by the private exponent in exactly `size` bytes. */
  power(value: Uint8Array, size: number): Uint8Array | OperandProblem {
    if (this.#modulus.length > size) return "modulus-too-long";
    const fitting = rightAligned(value, this.#modulus.length);
    if (!fitting || fitting.compare(this.#modulus) >= 0) return "value-too-large";
    const result = this.#powerByPrivateKey(fitting);
    if (result === undefined) return bytesOf(powerByHalves(integerOf(fitting), this.#integers), size);
    return result.length === size ? result : Buffer.concat([Buffer.alloc(size - result.length), result]);
  }

  #powerByPrivateKey(value: Buffer): Buffer | undefined {
    const key = this.#privateKey;
    if (key === undefined) return undefined;
    try {
      const operation = { key, padding: constants.RSA_NO_PADDING };
      const result = privateDecrypt(operation, value);
      if (this.#isProven) return result;
      if (++this.#checks === checksBeforeProof && this.#modulus.length <= maxProvenBytes) this.#isProven = hasPrimes(this.#integers);
      return publicEncrypt(operation, result).equals(value) ? result : undefined;
    } catch {
      return undefined;
    }
  }
}

export const usualPublicExponents: readonly bigint[] = [65537n, 3n, 17n];
const minPrivateKeyBytes = 64;
/** Any number will do. */
const madeUpPrivateExponent = "AQ";

/** Undefined for a key that OpenSSL cannot take, or whose parts do not belong to each other and to one of the usual exponents. */
function importKey(parts: CrtParts, { p, q, dp, dq, u }: CrtIntegers, modulus: Buffer): KeyObject | undefined {
  const exponent = usualPublicExponents.find((e) => (dp * e) % (p - 1n) === 1n && (dq * e) % (q - 1n) === 1n);
  if (!exponent || modulus.length < minPrivateKeyBytes || (u * q) % p !== 1n) return undefined;
  const numbers = { n: modulus, p: parts.p, q: parts.q, dp: parts.dp, dq: parts.dq, qi: parts.u };
  const e = bytesOf(exponent, byteLengthOf(exponent)).toString("base64url");
  const texts = Object.fromEntries(Object.entries(numbers).map(([name, bytes]) => [name, bufferOf(bytes).toString("base64url")]));
  try {
    return createPrivateKey({ key: { kty: "RSA", e, d: madeUpPrivateExponent, ...texts }, format: "jwk" });
  } catch {
    return undefined;
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** The value in exactly so many bytes; undefined if it is longer. */
function rightAligned(value: Uint8Array, length: number): Buffer | undefined {
  const bytes = bufferOf(value);
  const excess = bytes.length - length;
  if (excess < 0) return Buffer.concat([Buffer.alloc(-excess), bytes]);
  return bytes.subarray(0, excess).every((byte) => byte === 0) ? bytes.subarray(excess) : undefined;
}

const hasPrimes = ({ p, q }: CrtIntegers): boolean => checkPrimeSync(p) && checkPrimeSync(q);

/** As the parts are defined, for any of them: each half by itself, put together by Garner's formula. */
function powerByHalves(value: bigint, { p, q, dp, dq, u }: CrtIntegers): bigint {
  const ofP = modularPower(value % p, dp, p);
  const ofQ = modularPower(value % q, dq, q);
  const difference = (((ofP - ofQ) % p) + p) % p;
  return ofQ + ((u * difference) % p) * q;
}
