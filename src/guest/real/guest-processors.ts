import { AddressingError, type Memory, type ProgramInterruption } from "../../ap/platform.ts";
import { controlRegisterOf, readVirtual, type Translation, writeVirtual } from "./address-space.ts";
import { type ApInstruction, apInstructionBytes, apInstructionPatterns, decodeApInstruction } from "./ap-instruction.ts";
import { stfleBytes, stflePattern, stfleTarget, withFacilities } from "./facility-list.ts";
import { GdbClient, Signal, type Stop } from "./gdb/gdb-client.ts";
import { decodeProcessorState, encodeProcessorState, firstControlRegister, type ProcessorState } from "./gdb/processor-state.ts";
import { findInstructions } from "./instruction-text.ts";
import { findAround } from "./kernel-text.ts";
import { interrupt } from "./program-interruption.ts";
import { inspectPsw, type Psw, pswAfter } from "./psw.ts";

/**
 * The processors of a guest that stock QEMU emulates, as its gdb stub lets us hold them. A breakpoint stands on every AP instruction of the
 * guest's kernel; TCG never comes to execute one. Only one thing is done at a time, and only while all processors stand:
 *
 *     start: at the kernel's entry STFLE is looked for; while the kernel boots, every 20 ms whether it has set its program-check handler;
 *     then its text is there: its AP instructions get their breakpoints, and nothing is looked at any more until one is reached.
 *
 * The facts behind this are in docs/guests.md, "How it works".
 */
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

export interface GuestProcessorsOptions {
  readonly socketPath: string;
  readonly memory: Memory;
  readonly execute: (request: InstructionRequest) => Promise<InstructionAnswer>;
  /** False: its AP instructions stay what they are to TCG, operation exceptions. */
  readonly hasAp: boolean;
  /** STFLE bits of AP that the guest's CPU model has. */
  readonly facilities: readonly number[];
  /** What could not be done; the guest goes on. */
  readonly onProblem: (text: string) => void;
}

/** Where every Linux for s390x starts, with this mark a few bytes behind. */
const kernelEntry = 0x10000n;
const kernelMark = { offset: 8, text: "S390EP" } as const;
/** The part of a kernel image in which its decompressor's text is. */
const decompressorBytes = 512 * 1024;
const programNewPsw = 0x1d0;
const pollMs = 20;
/** More than any adapter takes; a longer one is refused without a look at it. */
const maxOperandBytes = 64 * 1024;

export class GuestProcessors {
  readonly #ap = new Map<bigint, ApInstruction>();
  readonly #stfle = new Map<bigint, Uint8Array>();
  #client!: GdbClient;
  #cr0 = 0;
  #shouldRun = false;
  #isHandling = false;
  #tasks: (() => Promise<void>)[] = [];
  #poll: NodeJS.Timeout | undefined;
  #lastNewPsw = "";

  private constructor(private readonly options: GuestProcessorsOptions) {}

  /** Takes hold of a machine that was started with -S. Rejects where no stub is. */
  static async attach(options: GuestProcessorsOptions): Promise<GuestProcessors> {
    const processors = new GuestProcessors(options);
    processors.#client = await GdbClient.connect(options.socketPath, (stop) => void processors.#stopped(stop));
    await processors.#client.request("?");
    processors.#cr0 = await firstControlRegister(processors.#client);
    await processors.#arm();
    return processors;
  }

  /** Resolves when QEMU is gone. */
  get closed(): Promise<void> {
    return this.#client.closed;
  }

  run(): void {
    this.#shouldRun = true;
    if (!this.#client.isRunning && !this.#isHandling) this.#client.resume();
    if (this.#ap.size === 0 && this.options.hasAp) this.#poll ??= setInterval(() => this.#lookForKernel(), pollMs).unref();
  }

  /** Resolves when all processors stand. */
  async pause(): Promise<void> {
    this.#shouldRun = false;
    await this.#whileStanding(async () => {});
  }

  /** The machine was reset while it stood: another kernel will boot. */
  async restart(): Promise<void> {
    for (const address of [...this.#ap.keys(), ...this.#stfle.keys()]) await this.#breakpoint("z", address);
    this.#ap.clear();
    this.#stfle.clear();
    this.#lastNewPsw = "";
    await this.#arm();
  }

  close(): void {
    clearInterval(this.#poll);
    this.#client.close();
  }

  // Stops.

  /** Does one thing while the processors stand; they go on afterwards if they should. */
  #whileStanding<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => act().then(resolve, reject));
      if (this.#client.isRunning) this.#client.interrupt();
      else if (!this.#isHandling) void this.#proceed();
    });
  }

  async #stopped(stop: Stop): Promise<void> {
    this.#isHandling = true;
    // Anything else is the end of a run: powered off, panicked, out of disk space.
    if (stop.signal !== Signal.trap && stop.signal !== Signal.interrupt) this.#shouldRun = false;
    try {
      if (stop.signal === Signal.trap) await this.#answer(stop.thread);
    } catch (error) {
      this.options.onProblem(`an AP instruction could not be answered: ${(error as Error).message}`);
    }
    await this.#proceed();
  }

  async #proceed(): Promise<void> {
    this.#isHandling = true;
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) await task();
    this.#isHandling = false;
    if (this.#shouldRun && !this.#client.isClosed) this.#client.resume();
  }

  async #answer(thread: string): Promise<void> {
    const client = this.#client;
    // Asked for at once, since each way to the stub and back costs a tenth of a millisecond.
    const [, text, cr1] = await Promise.all([client.request(`Hg${thread}`), client.request("g"), this.#controlRegister(1)]);
    const state = decodeProcessorState(text);
    const { address } = state.psw;
    const instruction = this.#ap.get(address);
    if (instruction) return this.#answerAp(instruction, state, { text, cr1 });
    const stfle = this.#stfle.get(address);
    if (stfle) return this.#answerStfle(stfle, address, thread, state);
    if (address === kernelEntry) return this.#enterKernel(thread);
  }

  async #answerAp(
    instruction: ApInstruction,
    { psw, registers }: ProcessorState,
    { text, cr1 }: { readonly text: string; readonly cr1: bigint },
  ): Promise<void> {
    const translation = await this.#translation(psw, cr1);
    const { memory, execute } = this.options;
    let answer: InstructionAnswer;
    try {
      const operand = readOperand(memory, translation, instruction, registers);
      answer = await execute({ instruction, registers, isProblemState: inspectPsw(psw).isProblemState, operand });
      for (const { address, bytes } of answer.writes) writeVirtual(memory, translation, BigInt(address), bytes);
    } catch (error) {
      if (!(error instanceof AddressingError)) throw error;
      answer = { result: "addressing", registers, writes: [] };
    }
    const { result } = answer;
    const after =
      typeof result === "number"
        ? { psw: pswAfter(psw, apInstructionBytes, result), registers: answer.registers }
        : { psw: await interrupt(this.#client, result, psw, apInstructionBytes), registers };
    // Its answer is not waited for: the stub does this before it lets the processors run.
    this.#client.command(`G${encodeProcessorState(after, text)}`).catch((error: Error) => this.options.onProblem(error.message));
  }

  /** Of a stopped processor with this PSW; `cr1` is what nearly always is needed, if it is known. */
  async #translation(psw: Psw, cr1?: bigint): Promise<Translation> {
    const register = controlRegisterOf(psw);
    if (register === undefined) return { asce: undefined };
    return { asce: register === 1 && cr1 !== undefined ? cr1 : await this.#controlRegister(register) };
  }

  async #controlRegister(number: number): Promise<bigint> {
    return BigInt(`0x${await this.#client.request(`p${(this.#cr0 + number).toString(16)}`)}`);
  }

  // What is looked for.

  async #arm(): Promise<void> {
    if (this.options.hasAp) await this.#breakpoint("Z", kernelEntry);
  }

  #breakpoint(kind: "Z" | "z", address: bigint): Promise<void> {
    return this.#client.command(`${kind}1,${address.toString(16)},2`);
  }

  /** Where the image of a kernel is that is about to start, its STFLEs are held; anything else is let go on. */
  async #enterKernel(thread: string): Promise<void> {
    const { memory } = this.options;
    const start = Number(kernelEntry);
    const mark = memory.read(start + kernelMark.offset, kernelMark.text.length);
    if (Buffer.from(mark).toString("latin1") === kernelMark.text) {
      const image = Buffer.from(memory.read(start, decompressorBytes));
      for (const offset of findInstructions(image, [stflePattern])) {
        const address = kernelEntry + BigInt(offset);
        if (this.#stfle.has(address)) continue;
        this.#stfle.set(address, image.subarray(offset, offset + stfleBytes));
        await this.#breakpoint("Z", address);
      }
    }
    await this.#stepOver(kernelEntry, thread);
  }

  async #answerStfle(instruction: Uint8Array, address: bigint, thread: string, { psw, registers }: ProcessorState): Promise<void> {
    const target = stfleTarget(instruction, registers);
    const listBytes = 8 * ((registers[1]! & 0xff) + 1);
    await this.#stepOver(address, thread);
    const translation = await this.#translation(psw);
    const { memory, facilities } = this.options;
    const list = readVirtual(memory, translation, target, listBytes);
    writeVirtual(memory, translation, target, withFacilities(list, facilities));
  }

  async #stepOver(address: bigint, thread: string): Promise<void> {
    await this.#breakpoint("z", address);
    await this.#client.step(thread);
    await this.#breakpoint("Z", address);
  }

  #lookForKernel(): void {
    if (this.#isHandling || !this.#client.isRunning || this.#tasks.length > 0) return;
    void this.#whileStanding(() => this.#findKernel()).catch(() => {});
  }

  /** A kernel's text is in place when it has set the address of its program-check handler. */
  async #findKernel(): Promise<void> {
    const newPsw = await this.#client.request(`m${programNewPsw.toString(16)},10`);
    if (newPsw.length !== 32 || newPsw === this.#lastNewPsw) return;
    this.#lastNewPsw = newPsw;
    const { psw } = decodeProcessorState(await this.#client.request("g"));
    const handler = BigInt(`0x${newPsw.slice(16)}`);
    const found = findAround(this.options.memory, await this.#translation(psw), handler, apInstructionPatterns);
    if (found.size === 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
    for (const [address, bytes] of found) {
      const instruction = decodeApInstruction(bytes);
      if (!instruction || this.#ap.has(address)) continue;
      this.#ap.set(address, instruction);
      await this.#breakpoint("Z", address);
    }
    for (const address of this.#stfle.keys()) await this.#breakpoint("z", address);
    this.#stfle.clear();
  }
}

/** What NQAP's second operand designates: an even register with the address, the next one with the length. */
function readOperand(memory: Memory, translation: Translation, { name, r2 }: ApInstruction, registers: Uint32Array): Uint8Array {
  if (name !== "nqap") return new Uint8Array();
  const address = (BigInt(registers[2 * r2]!) << 32n) | BigInt(registers[2 * r2 + 1]!);
  const length = registers[2 * (r2 + 1)]! !== 0 ? 0 : registers[2 * (r2 + 1) + 1]!;
  return length > maxOperandBytes ? new Uint8Array() : readVirtual(memory, translation, address, length);
}
