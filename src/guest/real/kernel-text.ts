import { AddressingError, type Memory } from "../../ap/platform.ts";
import { type Translation, translate } from "./address-space.ts";
import { findInstructions, type InstructionPattern } from "./instruction-text.ts";

/** How far from a known place of the kernel its text may reach, in both directions; kernels of distributions have about 20 MiB of it. */
const reachBytes = 32 * 2 ** 20;
const stepBytes = 4096n;
/** What memory comes in: a mapping that goes beyond its end is looked through in these. */
const memoryUnit = 2 ** 20;

/** Virtual addresses of the wanted instructions in all that is mapped around a place. Source: docs/guests.md, "How it works". */
export function findAround(memory: Memory, translation: Translation, place: bigint, patterns: readonly InstructionPattern[]): bigint[] {
  const found: bigint[] = [];
  for (const { start, bytes } of mappedRuns(memory, translation, place)) {
    for (const offset of findInstructions(bytes, patterns)) found.push(start + BigInt(offset));
  }
  return found;
}

interface Run {
  /** Virtual. */
  readonly start: bigint;
  readonly bytes: Buffer;
}

/** What is mapped around a place, in pieces that are contiguous in memory and in addresses. */
export function* mappedRuns(memory: Memory, translation: Translation, place: bigint): Generator<Run> {
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
  const pieces: Uint8Array[] = [];
  const end = absolute + length;
  try {
    for (let at = absolute; at < end; ) {
      const next = Math.min(end, at - (at % memoryUnit) + memoryUnit);
      pieces.push(memory.read(at, next - at));
      at = next;
    }
  } catch (error) {
    // A table that maps what is no memory: nothing to be found there.
    if (!(error instanceof AddressingError)) throw error;
  }
  if (pieces.length > 0) yield { start, bytes: Buffer.concat(pieces) };
}

function mappedAt(memory: Memory, translation: Translation, address: bigint): { absolute: number; room: number } | undefined {
  try {
    return translate(memory, translation, address);
  } catch (error) {
    if (error instanceof AddressingError) return undefined;
    throw error;
  }
}
