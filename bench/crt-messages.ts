import { constants, createPublicKey, generatePrimeSync, publicEncrypt, randomBytes } from "node:crypto";
import { type CrtParts, type50Crt } from "../test/support/adapter-messages.ts";

/** An RSA-2048 message to an accelerator and what its reply ends with. */
export interface CrtMessage {
  readonly message: Uint8Array;
  readonly expected: Buffer;
}

const primeBits = 1024;
const e = 65537n;

/** As many messages, each with another key: every pair of some primes is one, in both orders. */
export function crtMessages(count: number): CrtMessage[] {
  const primes = Array.from({ length: Math.ceil(Math.sqrt(count)) + 1 }, usablePrime);
  const pairs = primes.flatMap((p) => primes.filter((q) => q !== p).map((q) => [p, q] as const));
  return pairs.slice(0, count).map(([p, q]) => crtMessage(p, q));
}

/** With p * q of all bits and an inverse of e. */
function usablePrime(): bigint {
  for (;;) {
    const prime = generatePrimeSync(primeBits, { bigint: true });
    if ((prime - 1n) % e !== 0n && prime >> 1022n === 3n) return prime;
  }
}

function crtMessage(p: bigint, q: bigint): CrtMessage {
  const parts: CrtParts = {
    p: bytes(p),
    q: bytes(q),
    dp: bytes(inverse(e, p - 1n)),
    dq: bytes(inverse(e, q - 1n)),
    u: bytes(inverse(q, p)),
  };
  const jwk = { kty: "RSA", n: bytes(p * q).toString("base64url"), e: "AQAB" };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const expected = randomBytes(2 * (primeBits / 8));
  expected[0] = 0;
  return { message: type50Crt(2, parts, publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, expected)), expected };
}

function bytes(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [low, high, x, y] = [modulus, value % modulus, 0n, 1n];
  while (high !== 0n) {
    const quotient = low / high;
    [low, high, x, y] = [high, low - quotient * high, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
