import { AddressingError, type Memory } from "../../ap/platform.ts";
import { type Translation, translate } from "./address-space.ts";
import { findInstructions, type InstructionPattern } from "./instruction-text.ts";

/** How far from a known place of the kernel its text may reach, in both directions; kernels of distributions have about 20 MiB of it. */
const reachBytes = 32 * 2 ** 20;
const stepBytes = 4096n;
/** What memory comes in: a mapping that goes beyond its end is looked through in these. */
const memoryUnit = 2 ** 20;

/** Virtual addresses of the wanted instructions. Source: docs/guests.md, "How it works". */
export const findIn = (text: readonly Run[], patterns: readonly InstructionPattern[]): bigint[] =>
  text.flatMap(({ start, bytes }) => findInstructions(bytes, patterns).map((offset) => start + BigInt(offset)));

export interface Run {
  /** Virtual. */
  readonly start: bigint;
  readonly bytes: Buffer;
}

/** All that is mapped around a place, in pieces that are contiguous in memory and in addresses. */
export const textAround = (memory: Memory, translation: Translation, place: bigint): readonly Run[] => [
  ...mappedRuns(memory, translation, place),
];

function* mappedRuns(memory: Memory, translation: Translation, place: bigint): Generator<Run> {
  const reach = BigInt(reachBytes);
  const end = place + reach;
  let run: { start: bigint; absolute: number; length: number } | undefined;
  for (let at = place > reach ? (place - reach) & ~(stepBytes - 1n) : 0n; at < end; ) {
    const mapped = mappedAt(memory, translation, at);
    const length = mapped ? Math.min(mapped.room, Number(end - at)) : Number(stepBytes);
    if (mapped && run && run.absolute + run.length === mapped.absolute) run.length += length;
    else {
      if (run) yield* readRun(memory, run);
      run = mapped && { start: at, absolute: mapped.absolute, length };
    }
    at += BigInt(length);
  }
  if (run) yield* readRun(memory, run);
}

/** As far as memory goes. */
function* readRun(memory: Memory, { start, absolute, length }: { start: bigint; absolute: number; length: number }): Generator<Run> {
  const bytes = Buffer.allocUnsafe(length);
  const end = absolute + length;
  let at = absolute;
  try {
    while (at < end) {
      const next = Math.min(end, at - (at % memoryUnit) + memoryUnit);
      bytes.set(memory.read(at, next - at), at - absolute);
      at = next;
    }
  } catch (error) {
    // A table that maps what is no memory: nothing to be found there.
    if (!(error instanceof AddressingError)) throw error;
  }
  if (at > absolute) yield { start, bytes: bytes.subarray(0, at - absolute) };
}

function mappedAt(memory: Memory, translation: Translation, address: bigint): { absolute: number; room: number } | undefined {
  try {
    return translate(memory, translation, address);
  } catch (error) {
    if (error instanceof AddressingError) return undefined;
    throw error;
  }
}
