import { checkPrimeSync } from "node:crypto";
import type { OperandProblem, PowerTask } from "./asymmetric-task.ts";
import { byteLengthOf, bytesOf, greatestCommonDivisor, integerOf } from "./big-integer.ts";
import { CrtKey, usualPublicExponents } from "./crt-key.ts";
import { modularPower } from "./modular-power.ts";

export type PowerParts = Pick<PowerTask, "modulus" | "exponent">;

/** The key that modulus and exponent make, or why none. */
export function readPowerKey(parts: PowerParts): PowerKey | OperandProblem {
  const [modulus, exponent] = [integerOf(parts.modulus), integerOf(parts.exponent)];
  if (exponent === 0n) return "invalid-key";
  if (modulus % 2n === 0n) return "even-modulus";
  if (modulus === 1n) return "invalid-key";
  return new PowerKey(modulus, exponent);
}

/** Finding the factors and proving them prime costs as much as 10 to 25 powers by a long exponent. */
const usesBeforeFactoring = 16;
/** Of the longer prime, in parts of the modulus: one that is much longer takes seconds to prove, and gains little. */
const mostOfModulus = 5 / 8;
/** Below, finding the factors brings nothing. */
const minFactoredBytes = 128;

/**
 * A modulus and an exponent. Some programs send private keys so, the ibmca engine of OpenSSL among them, and a power by the Chinese remainder
 * theorem takes a fifth to a tenth of the time: for a key that keeps coming, the primes are found from the private exponent.
 */
export class PowerKey {
  #uses = 0;
  #isTried = false;
  #crtKey: CrtKey | undefined;

  constructor(
    private readonly modulus: bigint,
    private readonly exponent: bigint,
  ) {}

  /** Whether it works with the primes by now. */
  get isFactored(): boolean {
    return this.#crtKey !== undefined;
  }

  /** The value's power in exactly `size` bytes. */
  power(value: Uint8Array, size: number): Uint8Array | OperandProblem {
    const length = byteLengthOf(this.modulus);
    if (length > size) return "modulus-too-long";
    if (this.#crtKey) return this.#crtKey.power(value, size);
    const base = integerOf(value);
    if (base >= this.modulus) return "value-too-large";
    const result = modularPower(base, this.exponent, this.modulus);
    const isWorthIt = ++this.#uses >= usesBeforeFactoring && length >= minFactoredBytes;
    if (isWorthIt && !this.#isTried && base > 1n) this.#factor(base, result);
    return bytesOf(result, size);
  }

  #factor(base: bigint, result: bigint): void {
    this.#isTried = true;
    const { modulus, exponent } = this;
    const e = usualPublicExponents.find((candidate) => modularPower(result, candidate, modulus) === base);
    if (e === undefined || exponent >= modulus) return;
    const p = factorOf(modulus, e * exponent - 1n);
    if (p === undefined || p * p === modulus) return;
    const q = modulus / p;
    const isBalanced = Math.max(byteLengthOf(p), byteLengthOf(q)) <= mostOfModulus * byteLengthOf(modulus);
    const isInverse = (e * exponent) % (p - 1n) === 1n && (e * exponent) % (q - 1n) === 1n;
    // With primes both ways give the same power, whatever the value is.
    if (isBalanced && isInverse && checkPrimeSync(p) && checkPrimeSync(q)) this.#crtKey = CrtKey.ofPrimes(p, q, exponent);
  }
}

const bases = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n];

/**
 * A factor of a modulus of which e * d - 1 is known, a multiple of the order of what is prime to it: among the square roots of 1 that lie on the
 * way to 1 there soon is one beside 1 and -1. Undefined where it is no such multiple, or in one of 200 cases. Source: NIST SP 800-56B, appendix C.
 */
function factorOf(modulus: bigint, multiple: bigint): bigint | undefined {
  let odd = multiple;
  let twos = 0;
  while (odd > 0n && odd % 2n === 0n) {
    odd /= 2n;
    twos++;
  }
  if (twos === 0) return undefined;
  for (const base of bases) {
    let root = longPower(base, odd, modulus);
    for (let square = 0; square < twos; square++) {
      const next = (root * root) % modulus;
      if (next === 1n) {
        if (root === 1n || root === modulus - 1n) break;
        return greatestCommonDivisor(root - 1n, modulus);
      }
      if (square === twos - 1) return undefined;
      root = next;
    }
  }
  return undefined;
}

/** By an exponent that may be a little longer than the modulus, which OpenSSL does not take. */
function longPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const low = 64n;
  const high = modularPower(base, exponent >> low, modulus);
  return (modularPower(high, 1n << low, modulus) * modularPower(base, exponent & ((1n << low) - 1n), modulus)) % modulus;
}
