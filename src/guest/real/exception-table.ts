import type { Run } from "./kernel-text.ts";

/** What a kernel's handler of program checks looks up to find who takes an operation exception. */
export interface ExceptionEntry {
  /** Virtual address of the doubleword in the table. */
  readonly entry: bigint;
  /** What stands there: where that function begins. */
  readonly taker: bigint;
}

/** By interruption code; of those above nothing is assumed. */
const operationException = 1;
const lookedAt = 21;
/** Codes that Linux lets the same function take: overflows, divisions, translation exceptions, and codes that are not assigned. */
const alike = [
  [8, 10],
  [9, 11],
  [16, 17],
  [0, 20],
] as const;
const different = [0, 1, 2, 3, 8, 9, 16] as const;
const entryBytes = 8;
/** Of a function from the handler of all program checks. */
const reach = 32n * 2n ** 20n;

/**
 * The kernel's table of who takes which program check, known by the entries that are alike and those that are not. Undefined unless there is exactly one
 * in its text. Source: Linux arch/s390/kernel/pgm_check.S and traps.c; seen in 6.1 and 6.12.
 */
export function findExceptionEntry(text: readonly Run[], handler: bigint): ExceptionEntry | undefined {
  const found: ExceptionEntry[] = [];
  for (const { start, bytes } of text) {
    for (const offset of tablesIn(bytes, handler)) {
      const at = offset + operationException * entryBytes;
      found.push({ entry: start + BigInt(at), taker: bytes.readBigUInt64BE(at) });
    }
  }
  return found.length === 1 ? found[0] : undefined;
}

function tablesIn(bytes: Buffer, handler: bigint): number[] {
  // Low words of the entries, in whatever byte order: they are only compared.
  const words = wordsOf(bytes);
  const found: number[] = [];
  const last = words.length - 2 * lookedAt;
  for (let at = 0; at <= last; at += 2) {
    // Most of memory is zeros.
    if (words[at + 3] === words[at + 5] || words[at + 33] !== words[at + 35] || words[at + 17] !== words[at + 21]) continue;
    if (isTable(bytes, at * 4, handler)) found.push(at * 4);
  }
  return found;
}

/** The same memory where that is possible: it is many megabytes. */
function wordsOf(bytes: Buffer): Uint32Array {
  const { buffer, byteOffset } = bytes.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Uint32Array(buffer, byteOffset, Math.floor(bytes.length / Uint32Array.BYTES_PER_ELEMENT));
}

function isTable(bytes: Buffer, offset: number, handler: bigint): boolean {
  const entryOf = (code: number): bigint => bytes.readBigUInt64BE(offset + code * entryBytes);
  if (!alike.every(([one, other]) => entryOf(one) === entryOf(other))) return false;
  if (new Set(different.map(entryOf)).size < different.length) return false;
  return Array.from({ length: lookedAt }, (_, code) => entryOf(code)).every((address) => isNear(address, handler));
}

function isNear(address: bigint, place: bigint): boolean {
  const distance = address > place ? address - place : place - address;
  return distance < reach && address % 2n === 0n;
}
