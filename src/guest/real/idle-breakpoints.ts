import { AddressingError, type Memory } from "../../ap/platform.ts";
import { readVirtual, writeVirtual } from "./address-space.ts";
import { apInstructionBytes, decodeApInstruction } from "./ap-instruction.ts";
import type { ExceptionEntry } from "./exception-table.ts";
import type { MachineHold } from "./gdb/machine-hold.ts";
import { encodeProcessorState, registerOf } from "./gdb/processor-state.ts";
import type { HeldInstructions } from "./held-instructions.ts";
import { inspectPsw, type Psw } from "./psw.ts";
import type { Standing, StandingProcessors } from "./standing-processors.ts";

export interface IdleSurroundings {
  readonly hold: MachineHold;
  readonly processors: StandingProcessors;
  readonly held: HeldInstructions;
  readonly memory: Memory;
  /** Stops a machine that runs, and does one thing while it stands; undefined when it stands for something else already. */
  readonly stopFor: (act: () => Promise<void>) => Promise<void> | undefined;
  readonly onProblem: (text: string) => void;
}

/** How long after its last AP instruction a guest pays for breakpoints. */
const idleMs = 250;

/**
 * Breakpoints that are only there while a guest uses AP. Wherever they stand, TCG goes through all of them at every jump that it cannot foresee, which
 * can cost a guest half of its time. A guest that leaves AP alone has none. The entry of the kernel's table by which it finds who takes an operation
 * exception is watched all the time, which costs nothing: a processor that reads it stands there by an AP instruction that TCG did not know, or
 * by a program's mistake. For the first, the breakpoints come back and the kernel is sent back to its instruction as if it had never left it. A
 * processor that was on its way to that entry when the breakpoints came back is sent back just so.
 */
export class IdleBreakpoints {
  #exceptions: ExceptionEntry | undefined;
  #isAsleep = false;
  #lastUseMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasWarned = false;

  constructor(private readonly surroundings: IdleSurroundings) {}

  /** Of the kernel whose instructions are held; undefined: its breakpoints stay. */
  set exceptions(exceptions: ExceptionEntry | undefined) {
    this.#exceptions = exceptions;
    this.surroundings.hold.watchReads(exceptions?.entry);
    this.used();
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  get exceptions(): ExceptionEntry | undefined {
    return this.#exceptions;
  }

  /** An AP instruction was answered. */
  used(): void {
    this.#lastUseMs = performance.now();
    if (this.#exceptions) this.#timer ??= setTimeout(() => this.#look(), idleMs).unref();
  }

  /** Another kernel will boot, or none: nothing is watched. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#exceptions = undefined;
    this.#isAsleep = false;
    this.surroundings.hold.watchReads(undefined);
  }

  /** Whether a processor stands because it has just read the watched entry: behind a load, with what that found. */
  async isReadBy(standing: Standing): Promise<boolean> {
    const { psw, registers } = standing;
    if (!this.#exceptions || inspectPsw(psw).isProblemState) return false;
    try {
      const target = loadTarget(await this.#read(standing, psw.address - BigInt(loadBytes), loadBytes));
      return target !== undefined && registerOf(registers, target) === this.#exceptions.taker;
    } catch (error) {
      // Nothing is mapped there: it runs no kernel.
      if (error instanceof AddressingError) return false;
      throw error;
    }
  }

  /** Lets it come to who takes the exception, and looks whose it is. */
  async wake(standing: Standing): Promise<void> {
    const { hold, processors, held, onProblem } = this.surroundings;
    const taker = this.#exceptions?.taker;
    let at = standing;
    for (let step = 0; step < maxSteps && at.psw.address !== taker; step++) {
      await hold.step(at.thread);
      at = await processors.one(at.thread);
    }
    if (at.psw.address !== taker) {
      if (!this.#hasWarned) onProblem("who takes the exceptions of the guest's kernel was looked up, and no exception followed");
      this.#hasWarned = true;
      return;
    }
    const saved = registerOf(at.registers, firstArgument) + BigInt(savedPswOffset);
    const psw = pswOf(await this.#read(at, saved, 16));
    const address = psw.address - BigInt(apInstructionBytes);
    if (inspectPsw(psw).isProblemState || !(await this.#isAp(at, address))) return;
    if (!held.isAp(address)) return onProblem(`the AP instruction at ${address.toString(16)} is not held`);
    const translation = await processors.translation(at.psw, at);
    writeVirtual(this.surroundings.memory, translation, saved + 8n, bytesOf(address));
    processors.select(at);
    const back = { psw: { mask: at.psw.mask, address: registerOf(at.registers, returnAddress) }, registers: at.registers };
    await hold.client.command(`G${encodeProcessorState(back, at.text)}`);
    this.#isAsleep = false;
    held.wake();
    this.used();
  }

  /** An exception at the start of what is mapped is not that of an AP instruction. */
  async #isAp(standing: Standing, address: bigint): Promise<boolean> {
    try {
      return decodeApInstruction(await this.#read(standing, address, apInstructionBytes)) !== undefined;
    } catch (error) {
      if (error instanceof AddressingError) return false;
      throw error;
    }
  }

  #look(): void {
    this.#timer = undefined;
    const restMs = this.#lastUseMs + idleMs - performance.now();
    if (this.#isAsleep || !this.#exceptions) return;
    const { stopFor } = this.surroundings;
    const sleeping = restMs > 0 ? undefined : stopFor(async () => this.#sleep());
    if (!sleeping) this.#timer = setTimeout(() => this.#look(), restMs > 0 ? restMs : idleMs).unref();
  }

  #sleep(): void {
    if (!this.#exceptions) return;
    this.surroundings.held.sleep();
    this.#isAsleep = true;
  }

  async #read(standing: Standing, address: bigint, length: number): Promise<Buffer> {
    const { processors, memory } = this.surroundings;
    return readVirtual(memory, await processors.translation(standing.psw, standing), address, length);
  }
}

/** From the load to the function that it found: a branch, perhaps by way of a thunk. */
const maxSteps = 12;

/** LG: RXY format, with the register that it loads in the upper half of its second byte. Source: z/Architecture Principles of Operation, chapter 7. */
const loadBytes = 6;
const loadTarget = (text: Uint8Array): number | undefined => (text[0] === 0xe3 && text[5] === 0x04 ? text[1]! >> 4 : undefined);

/** Of a call. Source: the s390x ELF ABI, "Parameter Passing". */
const firstArgument = 2;
const returnAddress = 14;
/** Of the PSW in what the kernel saves of an interrupted program. Source: Linux arch/s390/include/asm/ptrace.h, struct pt_regs. */
const savedPswOffset = 8;

const pswOf = (bytes: Buffer): Psw => ({ mask: bytes.readBigUInt64BE(0), address: bytes.readBigUInt64BE(8) });

function bytesOf(address: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(address);
  return bytes;
}
