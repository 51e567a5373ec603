import * as v from "valibot";
import { AddressingError, type Cpu } from "../ap/platform.ts";
import { ResponseCode, responseCodeOf } from "../ap/status.ts";
import type { InstructionAnswer, InstructionRequest } from "../guest/real/instruction-request.ts";
import type { VirtualMachine } from "../kvm/virtual-machine.ts";
import { Wait } from "../sysfs/wait.ts";
import { guestName } from "./guest-name.ts";
import type { Host } from "./host.ts";

/**
 * An AP instruction of a real guest as a command: its registers and what it takes from memory come along, what it would write goes back.
 * Bytes are base64.
 */
const word = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));
const registerNumber = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15));
/** More than any adapter takes, as base64. */
const maxOperandCharacters = 96 * 1024;

export const instructionCommand = v.object({
  do: v.literal("guest"),
  action: v.literal("instruction"),
  guest: guestName,
  name: v.picklist(["pqap", "nqap", "dqap"]),
  r1: registerNumber,
  r2: registerNumber,
  registers: v.pipe(v.array(word), v.length(32)),
  isProblemState: v.boolean(),
  operand: v.pipe(v.string(), v.maxLength(maxOperandCharacters)),
});

export type InstructionCommand = v.InferOutput<typeof instructionCommand>;

export function encodeRequest({ instruction, registers, isProblemState, operand }: InstructionRequest) {
  return { ...instruction, registers: [...registers], isProblemState, operand: Buffer.from(operand).toString("base64") };
}

/**
 * How long a guest's processor may stand at a DQAP for a reply that is being made. To let its kernel look again costs as much as most replies
 * take; its clock stands as well, so to the guest the card was quick.
 */
const replyWaitMs = 10;

/** Does the instruction in the guest's virtual machine. A DQAP that finds its reply in the making waits a little for it. */
export function executeInstruction({ machine, timers }: Host, vm: VirtualMachine, command: InstructionCommand): unknown | Wait<unknown> {
  const answer = execute(vm, command);
  const { 1: queue = 0, 3: status = 0 } = answer.registers;
  if (command.name !== "dqap" || answer.result !== 3 || responseCodeOf(status) !== ResponseCode.noPendingReply) return answer;
  const wait = new Wait<unknown>();
  const again = (): void => wait.complete(() => execute(vm, command));
  const stopListening = machine.onReply(queue & 0xffff, () => {
    timer.cancel();
    again();
  });
  if (!stopListening) return answer;
  const timer = timers.after(
    replyWaitMs,
    () => {
      stopListening();
      again();
    },
    { isBackground: true },
  );
  return wait;
}

function execute(vm: VirtualMachine, command: InstructionCommand) {
  const operand = Buffer.from(command.operand, "base64");
  const writes: { address: number; bytes: string }[] = [];
  const cpu: Cpu = {
    registers: Uint32Array.from(command.registers),
    problemState: command.isProblemState,
    memory: {
      read(_address, length) {
        if (length > operand.length) throw new AddressingError();
        return operand.subarray(0, length);
      },
      write(address, bytes) {
        writes.push({ address, bytes: Buffer.from(bytes).toString("base64") });
      },
    },
  };
  const { name, r1, r2 } = command;
  const result = name === "pqap" ? vm.pqap(cpu) : vm[name](cpu, r1, r2);
  return { result, registers: [...cpu.registers], writes };
}

const answerSchema = v.object({
  result: v.union([v.picklist([0, 1, 2, 3]), v.picklist(["operation", "privileged-operation", "specification", "addressing"])]),
  registers: v.pipe(v.array(word), v.length(32)),
  writes: v.array(v.object({ address: v.pipe(v.number(), v.integer(), v.minValue(0)), bytes: v.string() })),
});

export function decodeAnswer(answer: unknown): InstructionAnswer {
  const { result, registers, writes } = v.parse(answerSchema, answer);
  return {
    result,
    registers: Uint32Array.from(registers),
    writes: writes.map(({ address, bytes }) => ({ address, bytes: Buffer.from(bytes, "base64") })),
  };
}
