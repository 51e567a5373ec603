/**
 * STFLE: a kernel of Linux stores its facility list once, early, and later believes only that. TCG's list has no AP facilities, so those of the
 * guest's CPU model are put into what was stored.
 * Source: z/Architecture Principles of Operation, chapter 4, "Facility Indications", and "STORE FACILITY LIST EXTENDED".
 */
import { registerOf } from "./gdb/processor-state.ts";
import type { InstructionPattern } from "./instruction-text.ts";

export const stfleBytes = 4;

const opcode = Buffer.of(0xb2, 0xb0);

/** A base register of 0 would store into the lowest 4 KiB, which no program does. */
export const stflePattern: InstructionPattern = { opcode, matches: (bytes) => (bytes[2] ?? 0) >> 4 !== 0 };

/** The address of its second operand. */
export function stfleTarget(instruction: Uint8Array, registers: Uint32Array): bigint {
  const field = ((instruction[2] ?? 0) << 8) | (instruction[3] ?? 0);
  const base = field >> 12;
  const contents = registerOf(registers, base);
  return (contents + BigInt(field & 0xfff)) & 0xffffffffffffffffn;
}

/** Bit 0 is the leftmost of the first byte. */
export function withFacilities(list: Uint8Array, bits: readonly number[]): Buffer {
  const changed = Buffer.from(list);
  for (const bit of bits) if (bit >> 3 < changed.length) changed[bit >> 3]! |= 0x80 >> (bit & 7);
  return changed;
}
