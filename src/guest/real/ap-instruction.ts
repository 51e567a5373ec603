import type { InstructionPattern } from "./instruction-text.ts";

/** A program that drives adapters has all of them. */
export const apInstructionNames = ["pqap", "nqap", "dqap"] as const;

/** An AP instruction as it stands in a program: four bytes, RRE format. */
export interface ApInstruction {
  readonly name: (typeof apInstructionNames)[number];
  /** Numbers of its registers; 0 for PQAP, which names none. */
  readonly r1: number;
  readonly r2: number;
}

export const apInstructionBytes = 4;

const opcodes = { nqap: 0xb2ad, dqap: 0xb2ae, pqap: 0xb2af } as const;

/**
 * The bits that the instructions leave unused are zero in every assembler's output, and NQAP and DQAP name two different pairs of registers,
 * neither of which has GR0: this tells them from numbers that look alike.
 */
export const apInstructionPatterns: readonly InstructionPattern[] = Object.values(opcodes).map((opcode) => ({
  opcode: Buffer.of(opcode >> 8, opcode & 0xff, 0),
  matches: (bytes) => decodeApInstruction(bytes) !== undefined,
}));

/** Undefined for any other instruction. */
export function decodeApInstruction(bytes: Uint8Array): ApInstruction | undefined {
  const [first = 0, second = 0, unused, fields = 0] = bytes;
  const opcode = (first << 8) | second;
  if (unused !== 0) return undefined;
  if (opcode === opcodes.pqap) return fields === 0 ? { name: "pqap", r1: 0, r2: 0 } : undefined;
  if (opcode !== opcodes.nqap && opcode !== opcodes.dqap) return undefined;
  const [r1, r2] = [fields >> 4, fields & 0xf];
  const arePairs = r1 % 2 === 0 && r2 % 2 === 0 && r1 !== r2 && r1 !== 0 && r2 !== 0;
  return arePairs ? { name: opcode === opcodes.nqap ? "nqap" : "dqap", r1, r2 } : undefined;
}
