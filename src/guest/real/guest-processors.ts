import { AddressingError, type Memory, type ProgramInterruption } from "../../ap/platform.ts";
import type { StockMonitor } from "../../qemu/guest-port.ts";
import { QemuError } from "../../qemu/qemu-error.ts";
import { controlRegisterOf, readVirtual, type Translation, writeVirtual } from "./address-space.ts";
import {
  type ApInstruction,
  apInstructionBytes,
  apInstructionNames,
  apInstructionPatterns,
  decodeApInstruction,
} from "./ap-instruction.ts";
import { stfleBytes, stflePattern, stfleTarget, withFacilities } from "./facility-list.ts";
import { type MachineEvents, MachineHold } from "./gdb/machine-hold.ts";
import { decodeProcessorState, encodeProcessorState, firstControlRegister, type ProcessorState } from "./gdb/processor-state.ts";
import { findInstructions, instructionBytes } from "./instruction-text.ts";
import { findAround } from "./kernel-text.ts";
import { maxSearched, type ProcessorsRecord } from "./migration/processors-record.ts";
import { operationException, ProgramCheckWatch } from "./program-check-watch.ts";
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
  /** Of QEMU's gdb stub. */
  readonly socketPath: string;
  readonly monitor: MachineEvents & Pick<StockMonitor, "execute">;
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
/** Run states of QEMU in which a breakpoint or we stopped the machine; in others it must not go on. */
const ownStops: ReadonlySet<unknown> = new Set(["debug", "paused"]);

/** A processor that stands, as the stub told of it. */
interface Standing extends ProcessorState {
  readonly thread: string;
  /** The text of `g`. */
  readonly text: string;
  /** Of the home space, in which a kernel of Linux runs. */
  readonly cr13: bigint;
}

export class GuestProcessors {
  readonly #ap = new Set<bigint>();
  readonly #stfle = new Map<bigint, Uint8Array>();
  #hold!: MachineHold;
  #cr0 = 0;
  #threads: readonly string[] = [];
  #shouldRun = false;
  #isHandling = false;
  #tasks: (() => Promise<void>)[] = [];
  #poll: NodeJS.Timeout | undefined;
  #watch: ProgramCheckWatch | undefined;
  /** New PSWs of program interruptions, around which there was nothing. */
  readonly #searched = new Set<string>();

  private constructor(private readonly options: GuestProcessorsOptions) {}

  /** Takes hold of a machine that was started with -S. Rejects where no stub is. */
  static async attach(options: GuestProcessorsOptions): Promise<GuestProcessors> {
    const processors = new GuestProcessors(options);
    const hold = await MachineHold.over(options.socketPath, options.monitor, () => void processors.#stopped());
    processors.#hold = hold;
    processors.#cr0 = await firstControlRegister(hold.client);
    processors.#threads = await hold.threads();
    processors.#arm();
    return processors;
  }

  run(): void {
    this.#shouldRun = true;
    if (!this.#hold.isRunning && !this.#isHandling) this.#hold.release();
    this.#startPoll();
  }

  /** Resolves when all processors stand, or are gone with their QEMU. */
  async pause(): Promise<void> {
    this.#shouldRun = false;
    await Promise.race([this.#whileStanding(async () => {}), this.#hold.client.closed]);
  }

  /** As `run`, by another way than the stub's. */
  async runBy(resume: () => Promise<unknown>): Promise<void> {
    this.#shouldRun = true;
    await this.#hold.releaseBy(resume);
    this.#startPoll();
  }

  /** Makes a machine that was paused ready to be sent; pages that were written beside QEMU are made known to it. */
  async rest(writtenPages: readonly number[]): Promise<void> {
    if (this.#shouldRun) throw new QemuError("the guest runs");
    const isReady = this.#whileStanding(async () => {
      await this.#touch(writtenPages);
      // QEMU cannot begin with the run state `debug`.
      await this.#hold.rest();
      // What was written to the processors is there when this is answered.
      await this.#hold.threads();
    });
    const gone = this.#hold.client.closed.then(() => Promise.reject(new QemuError("the QEMU that runs this guest is gone")));
    await Promise.race([isReady, gone]);
  }

  /** What is known of the guest's kernel. */
  record(): ProcessorsRecord {
    const watch = this.#watch?.record();
    return {
      ap: [...this.#ap].map(hexOf),
      stfle: [...this.#stfle].map(([address, text]) => ({ address: hexOf(address), text: Buffer.from(text).toString("hex") })),
      searched: [...this.#searched].slice(-maxSearched),
      ...(watch && { watch }),
    };
  }

  /** Goes on with a machine that came from elsewhere, where others recorded what they knew. */
  adopt({ ap, stfle, searched, watch }: ProcessorsRecord): void {
    this.restart();
    this.#holdAll(ap.map(fromHex), (address) => this.#ap.add(address));
    const texts = new Map(stfle.map(({ address, text }) => [fromHex(address), Buffer.from(text, "hex")]));
    this.#holdAll([...texts.keys()], (address) => this.#stfle.set(address, texts.get(address)!));
    for (const psw of searched) this.#searched.add(psw);
    if (watch) this.#watch = ProgramCheckWatch.from(this.#hold, watch);
  }

  /** The machine was reset while it stood: another kernel will boot. */
  restart(): void {
    for (const address of [...this.#ap, ...this.#stfle.keys()]) this.#hold.clearBreakpoint(address);
    this.#ap.clear();
    this.#stfle.clear();
    this.#endWatch();
    this.#searched.clear();
    this.#arm();
  }

  close(): void {
    this.#endPoll();
    this.#hold.close();
  }

  // Stops.

  /** Does one thing while the processors stand; they go on afterwards if they should. */
  #whileStanding<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => act().then(resolve, reject));
      if (this.#hold.isRunning) this.#hold.interrupt();
      else if (!this.#isHandling) void this.#proceed();
    });
  }

  async #stopped(): Promise<void> {
    this.#isHandling = true;
    try {
      const isAnswered = await this.#answerAll();
      if (!isAnswered && this.#tasks.length === 0) await this.#findReason();
    } catch (error) {
      this.#tell(error);
    }
    await this.#proceed();
  }

  async #proceed(): Promise<void> {
    this.#isHandling = true;
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) await task();
    this.#isHandling = false;
    if (this.#shouldRun && !this.#hold.client.isClosed) this.#hold.release();
  }

  /** Whether any processor stood at a breakpoint. */
  async #answerAll(): Promise<boolean> {
    let isAnswered = false;
    for (const standing of await this.#standing()) isAnswered = (await this.#answer(standing)) || isAnswered;
    return isAnswered;
  }

  /** Every processor; asked for at once, since each way to the stub and back costs a tenth of a millisecond. */
  #standing(): Promise<Standing[]> {
    const { client } = this.#hold;
    return Promise.all(
      this.#threads.map(async (thread) => {
        const [, text, cr13] = await Promise.all([client.request(`Hg${thread}`), client.request("g"), this.#controlRegister(13)]);
        return { ...decodeProcessorState(text), thread, text, cr13 };
      }),
    );
  }

  /** Powered off, panicked, out of disk space: then it stands until it is told to go on. A processor may be new. */
  async #findReason(): Promise<void> {
    const { status } = (await this.options.monitor.execute("query-status", {})) as { readonly status: unknown };
    if (!ownStops.has(status)) this.#shouldRun = false;
    else this.#threads = await this.#hold.threads();
  }

  async #answer(standing: Standing): Promise<boolean> {
    const { address } = standing.psw;
    const stfle = this.#stfle.get(address);
    if (this.#ap.has(address)) await this.#answerAp(standing);
    else if (stfle) await this.#answerStfle(stfle, standing);
    else if (this.#watch?.holds(address)) await this.#checkProgram(this.#watch, standing);
    else if (address === kernelEntry && this.#hold.hasBreakpoint(address)) await this.#enterKernel(standing);
    else return false;
    return true;
  }

  async #answerAp(standing: Standing): Promise<void> {
    const { psw, registers, thread, text } = standing;
    const { client } = this.#hold;
    const { memory, execute } = this.options;
    let answer: InstructionAnswer;
    try {
      const translation = await this.#translation(psw, standing);
      const instruction = decodeApInstruction(readVirtual(memory, translation, psw.address, apInstructionBytes));
      // A breakpoint stands at an address: a program of the guest may have another instruction at the same one.
      if (!instruction) return await this.#hold.step(thread);
      const operand = readOperand(memory, translation, instruction, registers);
      answer = await execute({ instruction, registers, isProblemState: inspectPsw(psw).isProblemState, operand });
      for (const { address, bytes } of answer.writes) writeVirtual(memory, translation, BigInt(address), bytes);
    } catch (error) {
      if (!(error instanceof AddressingError)) throw error;
      answer = { result: "addressing", registers, writes: [] };
    }
    const { result } = answer;
    // The last that was asked about is the one that is written to.
    if (this.#threads.length > 1) client.request(`Hg${thread}`).catch(() => {});
    const after =
      typeof result === "number"
        ? { psw: pswAfter(psw, apInstructionBytes, result), registers: answer.registers }
        : { psw: await interrupt(client, result, psw, apInstructionBytes), registers };
    // Its answer is not waited for: the stub does this before it lets the processors run.
    client.command(`G${encodeProcessorState(after, text)}`).catch((error: Error) => this.#tell(error));
  }

  /** By which a standing processor would take operands with this PSW. */
  async #translation(psw: Psw, { thread, cr13 }: Standing): Promise<Translation> {
    const register = controlRegisterOf(psw);
    if (register === undefined) return { asce: undefined };
    if (register === 13) return { asce: cr13 };
    const [, asce] = await Promise.all([this.#hold.client.request(`Hg${thread}`), this.#controlRegister(register)]);
    return { asce };
  }

  async #controlRegister(number: number): Promise<bigint> {
    return BigInt(`0x${await this.#hold.client.request(`p${(this.#cr0 + number).toString(16)}`)}`);
  }

  #tell(error: unknown): void {
    if (!this.#hold.client.isClosed) this.options.onProblem(`an AP instruction could not be answered: ${(error as Error).message}`);
  }

  /** A byte of each page is written as it is, by QEMU. */
  async #touch(pages: readonly number[]): Promise<void> {
    const { client } = this.#hold;
    await client.command("Qqemu.PhyMemMode:1");
    for (const page of pages) {
      const at = `${page.toString(16)},1`;
      await client.command(`M${at}:${await client.request(`m${at}`)}`);
    }
    await client.command("Qqemu.PhyMemMode:0");
  }

  // What is looked for.

  #arm(): void {
    if (this.options.hasAp) this.#hold.setBreakpoint(kernelEntry);
  }

  /** Where the image of a kernel is that is about to start, its STFLEs are held; anything else is let go on. */
  async #enterKernel({ thread }: Standing): Promise<void> {
    const { memory } = this.options;
    const start = Number(kernelEntry);
    const mark = memory.read(start + kernelMark.offset, kernelMark.text.length);
    if (Buffer.from(mark).toString("latin1") === kernelMark.text) {
      const image = Buffer.from(memory.read(start, decompressorBytes));
      const offsets = findInstructions(image, [stflePattern]);
      this.#holdAll(
        offsets.map((offset) => kernelEntry + BigInt(offset)),
        (address) => {
          const offset = Number(address - kernelEntry);
          this.#stfle.set(address, image.subarray(offset, offset + stfleBytes));
        },
      );
    }
    await this.#hold.step(thread);
  }

  async #answerStfle(instruction: Uint8Array, standing: Standing): Promise<void> {
    const { psw, registers, thread } = standing;
    const target = stfleTarget(instruction, registers);
    const listBytes = 8 * ((registers[1]! & 0xff) + 1);
    await this.#hold.step(thread);
    const translation = await this.#translation(psw, standing);
    const { memory, facilities } = this.options;
    try {
      const list = readVirtual(memory, translation, target, listBytes);
      writeVirtual(memory, translation, target, withFacilities(list, facilities));
    } catch (error) {
      // Then it stored nothing, and the guest has its program interruption.
      if (!(error instanceof AddressingError)) throw error;
    }
  }

  #lookForKernel(): void {
    if (this.#isHandling || !this.#hold.isRunning || this.#tasks.length > 0) return;
    void this.#whileStanding(() => this.#findKernel()).catch((error: Error) => {
      // Tables that are being made: the next look finds them whole.
      if (error instanceof AddressingError) return;
      this.#endPoll();
      if (!this.#hold.client.isClosed)
        this.options.onProblem(`the guest's kernel could not be searched, so it has no AP instructions: ${error.message}`);
    });
  }

  /** A kernel's text is in place when it has set the address of its program-check handler. */
  async #findKernel(): Promise<void> {
    const newPsws = await this.#newPsws();
    if (newPsws.every((text) => this.#searched.has(text))) return;
    for (const [index, standing] of (await this.#standing()).entries()) {
      const text = newPsws[index] ?? "";
      if (text.length !== 32 || this.#searched.has(text)) continue;
      const handler = { mask: BigInt(`0x${text.slice(0, 16)}`), address: BigInt(`0x${text.slice(16)}`) };
      // The decompressor's handler has a real address, and around it there is an initial RAM disk, in which any bytes may be.
      if (!inspectPsw(handler).isTranslating || !inspectPsw(standing.psw).isTranslating) continue;
      this.#searched.add(text);
      const translation = await this.#translation(handler, standing);
      const found = findAround(this.options.memory, translation, handler.address, apInstructionPatterns);
      if (this.#drivesAdapters(found, translation)) return this.#holdText(found);
      this.#watchPrograms(handler.address, translation);
    }
  }

  /** A program that does has all of the instructions; numbers that look like one may be anywhere. */
  #drivesAdapters(found: readonly bigint[], translation: Translation): boolean {
    const names = found.map((at) => decodeApInstruction(readVirtual(this.options.memory, translation, at, apInstructionBytes))?.name);
    return new Set(names).size === apInstructionNames.length;
  }

  /** This kernel has its AP bus as a module, or none. */
  #watchPrograms(handler: bigint, translation: Translation): void {
    this.#endWatch();
    const [first = 0] = readVirtual(this.options.memory, translation, handler, 1);
    this.#watch = new ProgramCheckWatch(this.#hold, handler, handler + BigInt(instructionBytes(first)));
  }

  #endWatch(): void {
    this.#watch?.end();
    this.#watch = undefined;
  }

  /** At the first instruction of the handler everything is as the program left it: an AP instruction is begun again, with a breakpoint. */
  async #checkProgram(watch: ProgramCheckWatch, standing: Standing): Promise<void> {
    const { psw, registers, thread, text } = standing;
    const { client } = this.#hold;
    client.request(`Hg${thread}`).catch(() => {});
    const isEntry = psw.address === watch.handler;
    watch.pass(psw.address);
    if (!isEntry) return;
    const { code, oldPsw } = await watch.interruption();
    // The kernel's handlers are in their places when programs run.
    if (inspectPsw(oldPsw).isProblemState) this.#endPoll();
    if (code !== operationException) return;
    const begin = { mask: oldPsw.mask, address: oldPsw.address - BigInt(apInstructionBytes) };
    const translation = await this.#translation(oldPsw, standing);
    const instruction = decodeApInstruction(readVirtual(this.options.memory, translation, begin.address, apInstructionBytes));
    if (!instruction) return;
    this.#endWatch();
    this.#holdText([begin.address, ...findAround(this.options.memory, translation, begin.address, apInstructionPatterns)]);
    await client.command(`G${encodeProcessorState({ psw: begin, registers }, text)}`);
  }

  #startPoll(): void {
    if (this.#ap.size === 0 && this.options.hasAp) this.#poll ??= setInterval(() => this.#lookForKernel(), pollMs).unref();
  }

  #endPoll(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  /** As each processor sees it: its lowest 8 KiB are its own, and which one boots is not known. */
  #newPsws(): Promise<string[]> {
    const { client } = this.#hold;
    const read = `m${programNewPsw.toString(16)},10`;
    return Promise.all(this.#threads.map(async (thread) => (await Promise.all([client.request(`Hg${thread}`), client.request(read)]))[1]));
  }

  #holdText(found: readonly bigint[]): void {
    this.#endPoll();
    this.#endWatch();
    for (const address of this.#stfle.keys()) this.#hold.clearBreakpoint(address);
    this.#stfle.clear();
    this.#holdAll(found, (address) => this.#ap.add(address));
  }

  /** As many as the stub takes; the others stay what they are to TCG. */
  #holdAll(addresses: readonly bigint[], held: (address: bigint) => void): void {
    try {
      for (const address of addresses) {
        this.#hold.setBreakpoint(address);
        held(address);
      }
    } catch (error) {
      this.options.onProblem(`not all of ${addresses.length} instructions of the guest's kernel are held: ${(error as Error).message}`);
    }
  }
}

const hexOf = (address: bigint): string => address.toString(16);
const fromHex = (text: string): bigint => BigInt(`0x${text}`);

/** What NQAP's second operand designates: an even register with the address, the next one with the length. */
function readOperand(memory: Memory, translation: Translation, { name, r2 }: ApInstruction, registers: Uint32Array): Uint8Array {
  if (name !== "nqap") return new Uint8Array();
  const address = (BigInt(registers[2 * r2]!) << 32n) | BigInt(registers[2 * r2 + 1]!);
  const length = registers[2 * (r2 + 1)]! !== 0 ? 0 : registers[2 * (r2 + 1) + 1]!;
  return length > maxOperandBytes ? new Uint8Array() : readVirtual(memory, translation, address, length);
}
