/** Unsigned big-endian bytes as an integer; no bytes are zero. */
export function integerOf(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`);
}

/** The integer in exactly `size` bytes, zeros on the left. Throws a RangeError for one that is longer. */
export function bytesOf(value: bigint, size: number): Buffer {
  const hex = value.toString(16);
  if (hex.length > 2 * size) throw new RangeError(`${hex.length} hex digits do not fit into ${size} bytes`);
  return Buffer.from(hex.padStart(2 * size, "0"), "hex");
}

/** How many bytes the integer needs, one for zero. */
export const byteLengthOf = (value: bigint): number => Math.ceil(value.toString(16).length / 2);

/** Of two numbers without a common factor. */
export function inverseOf(value: bigint, modulus: bigint): bigint {
  let [previous, current] = [modulus, value % modulus];
  let [before, inverse] = [0n, 1n];
  while (current !== 0n) {
    const quotient = previous / current;
    [previous, current] = [current, previous - quotient * current];
    [before, inverse] = [inverse, before - quotient * inverse];
  }
  return ((before % modulus) + modulus) % modulus;
}

export function greatestCommonDivisor(first: bigint, second: bigint): bigint {
  let [a, b] = [first, second];
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
