/** RSA as a program asks for it; `input` is as long as the modulus, and so is the result. Source: arch/s390/include/uapi/asm/zcrypt.h. */
export interface PowerRequest {
  readonly input: Uint8Array;
  readonly exponent: Uint8Array;
  readonly modulus: Uint8Array;
}

/** The private operation by the Chinese remainder theorem; `u` is the inverse of q modulo p. */
export interface CrtRequest {
  readonly input: Uint8Array;
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly dp: Uint8Array;
  readonly dq: Uint8Array;
  readonly u: Uint8Array;
}

export type RsaRequest = PowerRequest | CrtRequest;

/** The last `size` bytes, with zeros in front of what is shorter. */
export const rightAligned = (bytes: Uint8Array, size: number): Buffer => {
  const aligned = Buffer.alloc(size);
  const kept = bytes.subarray(Math.max(0, bytes.length - size));
  aligned.set(kept, size - kept.length);
  return aligned;
};
