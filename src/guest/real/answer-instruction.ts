import { AddressingError, type Memory } from "../../ap/platform.ts";
import { readVirtual, type Translation, writeVirtual } from "./address-space.ts";
import { type ApInstruction, apInstructionBytes, decodeApInstruction } from "./ap-instruction.ts";
import type { MachineHold } from "./gdb/machine-hold.ts";
import { encodeProcessorState, registerOf } from "./gdb/processor-state.ts";
import type { InstructionAnswer, InstructionRequest } from "./instruction-request.ts";
import { interrupt } from "./program-interruption.ts";
import { inspectPsw, pswAfter } from "./psw.ts";
import type { Standing, StandingProcessors } from "./standing-processors.ts";

/** More than any adapter takes; a longer one is refused without a look at it. */
const maxOperandBytes = 64 * 1024;

export interface AnsweringSurroundings {
  readonly hold: MachineHold;
  readonly processors: StandingProcessors;
  readonly memory: Memory;
  readonly execute: (request: InstructionRequest) => Promise<InstructionAnswer>;
  /** Hears of what goes wrong after the answer was given. */
  readonly onError: (error: Error) => void;
}

/** Does the AP instruction at which a processor stands, and leaves the processor behind it or in a program interruption. */
export async function answerInstruction(surroundings: AnsweringSurroundings, standing: Standing): Promise<void> {
  const { psw, registers, thread, text } = standing;
  const { hold, processors, memory, execute, onError } = surroundings;
  let answer: InstructionAnswer;
  try {
    const translation = await processors.translation(psw, standing);
    const instruction = decodeApInstruction(readVirtual(memory, translation, psw.address, apInstructionBytes));
    // A breakpoint stands at an address: a program of the guest may have another instruction at the same one.
    if (!instruction) return await hold.step(thread);
    const operand = readOperand(memory, translation, instruction, registers);
    answer = await execute({ instruction, registers, isProblemState: inspectPsw(psw).isProblemState, operand });
    for (const { address, bytes } of answer.writes) writeVirtual(memory, translation, BigInt(address), bytes);
  } catch (error) {
    if (!(error instanceof AddressingError)) throw error;
    answer = { result: "addressing", registers, writes: [] };
  }
  const { result } = answer;
  processors.select(standing);
  const after =
    typeof result === "number"
      ? { psw: pswAfter(psw, apInstructionBytes, result), registers: answer.registers }
      : { psw: await interrupt(hold.client, result, psw, apInstructionBytes), registers };
  // Its answer is not waited for: the stub does this before it lets the processors run.
  hold.client.command(`G${encodeProcessorState(after, text)}`).catch(onError);
}

/** What NQAP's second operand designates: an even register with the address, the next one with the length. */
function readOperand(memory: Memory, translation: Translation, { name, r2 }: ApInstruction, registers: Uint32Array): Uint8Array {
  if (name !== "nqap") return new Uint8Array();
  const address = registerOf(registers, r2);
  const length = registers[2 * (r2 + 1)]! !== 0 ? 0 : registers[2 * (r2 + 1) + 1]!;
  return length > maxOperandBytes ? new Uint8Array() : readVirtual(memory, translation, address, length);
}
