import { AddressingError, type Memory } from "../../ap/platform.ts";
import { readVirtual, type Translation } from "./address-space.ts";
import { apInstructionBytes, apInstructionNames, apInstructionPatterns, decodeApInstruction } from "./ap-instruction.ts";
import { type ExceptionEntry, findExceptionEntry } from "./exception-table.ts";
import type { MachineHold } from "./gdb/machine-hold.ts";
import { encodeProcessorState } from "./gdb/processor-state.ts";
import type { HeldInstructions } from "./held-instructions.ts";
import { instructionBytes } from "./instruction-text.ts";
import { findIn, textAround } from "./kernel-text.ts";
import { maxSearched, type ProcessorsRecord } from "./migration/processors-record.ts";
import { operationException, ProgramCheckWatch } from "./program-check-watch.ts";
import { inspectPsw } from "./psw.ts";
import type { Standing, StandingProcessors } from "./standing-processors.ts";

const pollMs = 20;

export interface KernelSearchSurroundings {
  readonly hold: MachineHold;
  readonly processors: StandingProcessors;
  readonly held: HeldInstructions;
  readonly memory: Memory;
  /** Stops a machine that runs, and does one thing while it stands; undefined when it stands for something else already. */
  readonly stopFor: (act: () => Promise<void>) => Promise<void> | undefined;
  /** AP instructions are held; `exceptions`: where the kernel's table of exceptions is, if it was found. */
  readonly onFound: (exceptions: ExceptionEntry | undefined) => void;
  readonly onProblem: (text: string) => void;
}

/**
 * The search for the AP instructions of a kernel that boots: every 20 ms whether it has set its program-check handler, around which its text
 * is. A kernel whose AP bus is a module has none there; then its program checks are watched until one is an AP instruction's.
 */
export class KernelSearch {
  #poll: NodeJS.Timeout | undefined;
  #watch: ProgramCheckWatch | undefined;
  /** New PSWs of program interruptions, around which there was nothing. */
  readonly #searched = new Set<string>();

  constructor(private readonly surroundings: KernelSearchSurroundings) {}

  /** Unless the instructions are found. */
  start(): void {
    if (!this.surroundings.held.hasAp) this.#poll ??= setInterval(() => this.#look(), pollMs).unref();
  }

  end(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  /** Another kernel will boot. */
  forget(): void {
    this.#endWatch();
    this.#searched.clear();
  }

  record(): Pick<ProcessorsRecord, "searched" | "watch"> {
    const watch = this.#watch?.record();
    return { searched: [...this.#searched].slice(-maxSearched), ...(watch && { watch }) };
  }

  adopt({ searched, watch }: Pick<ProcessorsRecord, "searched" | "watch">): void {
    for (const psw of searched) this.#searched.add(psw);
    if (watch) this.#watch = ProgramCheckWatch.from(this.surroundings.hold, watch);
  }

  /** The watch for which a processor stands at this address. */
  watchAt(address: bigint): ProgramCheckWatch | undefined {
    return this.#watch?.holds(address) ? this.#watch : undefined;
  }

  /** At the first instruction of the handler everything is as the program left it: an AP instruction is begun again, with a breakpoint. */
  async checkProgram(watch: ProgramCheckWatch, standing: Standing): Promise<void> {
    const { psw, registers, thread, text } = standing;
    const { hold, processors, memory } = this.surroundings;
    hold.client.request(`Hg${thread}`).catch(() => {});
    const isEntry = psw.address === watch.handler;
    watch.pass(psw.address);
    if (!isEntry) return;
    const { code, oldPsw } = await watch.interruption();
    // The kernel's handlers are in their places when programs run.
    if (inspectPsw(oldPsw).isProblemState) this.end();
    if (code !== operationException) return;
    const begin = { mask: oldPsw.mask, address: oldPsw.address - BigInt(apInstructionBytes) };
    const translation = await processors.translation(oldPsw, standing);
    const instruction = decodeApInstruction(readVirtual(memory, translation, begin.address, apInstructionBytes));
    if (!instruction) return;
    this.#endWatch();
    const found = [begin.address, ...findIn(textAround(memory, translation, begin.address), apInstructionPatterns)];
    this.#found(found, findExceptionEntry(textAround(memory, translation, watch.handler), watch.handler));
    await hold.client.command(`G${encodeProcessorState({ psw: begin, registers }, text)}`);
  }

  #look(): void {
    const { hold, stopFor, onProblem } = this.surroundings;
    stopFor(() => this.#findKernel())?.catch((error: Error) => {
      // Tables that are being made: the next look finds them whole.
      if (error instanceof AddressingError) return;
      this.end();
      if (!hold.client.isClosed) onProblem(`the guest's kernel could not be searched, so it has no AP instructions: ${error.message}`);
    });
  }

  /** A kernel's text is in place when it has set the address of its program-check handler. */
  async #findKernel(): Promise<void> {
    const { processors, memory } = this.surroundings;
    const newPsws = await processors.newPsws();
    if (newPsws.every((text) => this.#searched.has(text))) return;
    for (const [index, standing] of (await processors.all()).entries()) {
      const text = newPsws[index] ?? "";
      if (text.length !== 32 || this.#searched.has(text)) continue;
      const handler = { mask: BigInt(`0x${text.slice(0, 16)}`), address: BigInt(`0x${text.slice(16)}`) };
      // The decompressor's handler has a real address, and around it there is an initial RAM disk, in which any bytes may be.
      if (!inspectPsw(handler).isTranslating || !inspectPsw(standing.psw).isTranslating) continue;
      this.#searched.add(text);
      const translation = await processors.translation(handler, standing);
      const kernel = textAround(memory, translation, handler.address);
      const found = findIn(kernel, apInstructionPatterns);
      if (this.#drivesAdapters(found, translation)) return this.#found(found, findExceptionEntry(kernel, handler.address));
      this.#watchPrograms(handler.address, translation);
    }
  }

  /** A program that does has all of the instructions; numbers that look like one may be anywhere. */
  #drivesAdapters(found: readonly bigint[], translation: Translation): boolean {
    const { memory } = this.surroundings;
    const names = found.map((at) => decodeApInstruction(readVirtual(memory, translation, at, apInstructionBytes))?.name);
    return new Set(names).size === apInstructionNames.length;
  }

  /** This kernel has its AP bus as a module, or none. */
  #watchPrograms(handler: bigint, translation: Translation): void {
    this.#endWatch();
    const [first = 0] = readVirtual(this.surroundings.memory, translation, handler, 1);
    this.#watch = new ProgramCheckWatch(this.surroundings.hold, handler, handler + BigInt(instructionBytes(first)));
  }

  #found(addresses: readonly bigint[], exceptions: ExceptionEntry | undefined): void {
    const { held, onFound } = this.surroundings;
    this.end();
    this.#endWatch();
    held.letStfleGo();
    held.holdAp(addresses);
    onFound(exceptions);
  }

  #endWatch(): void {
    this.#watch?.end();
    this.#watch = undefined;
  }
}
