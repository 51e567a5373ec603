import type { ProgramInterruption } from "../../ap/platform.ts";
import type { ApInstruction } from "./ap-instruction.ts";

/** An AP instruction at which a guest's processor stands, for whoever does it. */
export interface InstructionRequest {
  readonly instruction: ApInstruction;
  readonly registers: Uint32Array;
  readonly isProblemState: boolean;
  /** The bytes that NQAP takes from memory; empty for the others. */
  readonly operand: Uint8Array;
}

export interface InstructionAnswer {
  /** A condition code, or the program interruption instead. */
  readonly result: number | ProgramInterruption;
  readonly registers: Uint32Array;
  readonly writes: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}
