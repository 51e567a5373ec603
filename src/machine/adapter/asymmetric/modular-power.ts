import { constants, createDiffieHellman, createPublicKey, publicEncrypt } from "node:crypto";
import { byteLengthOf, bytesOf, integerOf } from "./big-integer.ts";

/**
 * value^exponent mod modulus for an odd modulus above 1 and a value below it. OpenSSL does it as the public operation of an RSA key;
 * where its limits on public exponents forbid that, as one side of a Diffie-Hellman exchange. None of this takes the same time for
 * every exponent: it is an emulator's arithmetic, no place for secrets that matter.
 */
const minOpenSslBytes = 64;
/** Above a modulus of 3072 bits OpenSSL takes public exponents of at most 64 bits. */
const maxFreeExponentModulusBytes = 384;
const maxShortExponent = 2n ** 64n - 1n;

export function modularPower(value: bigint, exponent: bigint, modulus: bigint): bigint {
  if (exponent === 0n) return 1n;
  if (value <= 1n || exponent === 1n) return value;
  if (value === modulus - 1n) return exponent % 2n === 0n ? 1n : value;
  const size = byteLengthOf(modulus);
  if (size < minOpenSslBytes || exponent >= modulus) return powerByWindow(value, exponent, modulus);
  try {
    const isShort = size <= maxFreeExponentModulusBytes || exponent <= maxShortExponent;
    return isShort ? powerByPublicKey(value, exponent, modulus, size) : powerByKeyExchange(value, exponent, modulus, size);
  } catch {
    // OpenSSL refuses some operands that arithmetic allows, such as a shared secret of 1.
    return powerByWindow(value, exponent, modulus);
  }
}

function powerByPublicKey(value: bigint, exponent: bigint, modulus: bigint, size: number): bigint {
  const n = bytesOf(modulus, size).toString("base64url");
  const e = bytesOf(exponent, byteLengthOf(exponent)).toString("base64url");
  const key = createPublicKey({ key: { kty: "RSA", n, e }, format: "jwk" });
  return integerOf(publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, bytesOf(value, size)));
}

function powerByKeyExchange(value: bigint, exponent: bigint, modulus: bigint, size: number): bigint {
  const exchange = createDiffieHellman(bytesOf(modulus, size), 2);
  exchange.setPrivateKey(bytesOf(exponent, byteLengthOf(exponent)));
  return integerOf(exchange.computeSecret(bytesOf(value, size)));
}

const windowBits = 4;

function powerByWindow(value: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers = [1n];
  while (powers.length < 2 ** windowBits) powers.push((powers.at(-1)! * value) % modulus);
  let result = 1n;
  for (const digit of exponent.toString(2 ** windowBits)) {
    for (let bit = 0; bit < windowBits; bit++) result = (result * result) % modulus;
    result = (result * powers[Number.parseInt(digit, 2 ** windowBits)]!) % modulus;
  }
  return result;
}
