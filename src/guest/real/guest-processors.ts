import type { Memory } from "../../ap/platform.ts";
import type { StockMonitor } from "../../qemu/guest-port.ts";
import { QemuError } from "../../qemu/qemu-error.ts";
import { answerInstruction } from "./answer-instruction.ts";
import type { ExceptionEntry } from "./exception-table.ts";
import { type MachineEvents, MachineHold } from "./gdb/machine-hold.ts";
import { HeldInstructions } from "./held-instructions.ts";
import { IdleBreakpoints } from "./idle-breakpoints.ts";
import type { InstructionAnswer, InstructionRequest } from "./instruction-request.ts";
import { KernelEntry } from "./kernel-entry.ts";
import { KernelSearch } from "./kernel-search.ts";
import { adoptException, type ProcessorsRecord, recordException } from "./migration/processors-record.ts";
import { type Standing, StandingProcessors } from "./standing-processors.ts";

/**
 * The processors of a guest that stock QEMU emulates, as its gdb stub lets us hold them. A breakpoint stands on every AP instruction of the
 * guest's kernel; TCG never comes to execute one. Only one thing is done at a time, and only while all processors stand:
 *
 *     start: at the kernel's entry STFLE is looked for; while the kernel boots, every 20 ms whether it has set its program-check handler;
 *     then its text is there: its AP instructions get their breakpoints, and nothing is looked at any more until one is reached;
 *     while it uses none, there are no breakpoints (IdleBreakpoints).
 *
 * The facts behind this are in docs/guests.md, "How it works".
 */
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

/** Run states of QEMU in which a breakpoint or we stopped the machine; in others it must not go on. */
const ownStops: ReadonlySet<unknown> = new Set(["debug", "paused"]);

export class GuestProcessors {
  readonly #held: HeldInstructions;
  readonly #entry: KernelEntry;
  readonly #search: KernelSearch;
  readonly #idle: IdleBreakpoints;
  #shouldRun = false;
  #isHandling = false;
  #tasks: (() => Promise<void>)[] = [];

  private constructor(
    private readonly options: GuestProcessorsOptions,
    private readonly hold: MachineHold,
    private readonly processors: StandingProcessors,
  ) {
    const { memory, facilities, onProblem } = options;
    this.#held = new HeldInstructions(hold, onProblem);
    const surroundings = { hold, processors, held: this.#held, memory };
    const stopFor = (act: () => Promise<void>): Promise<void> | undefined => this.#stopFor(act);
    this.#entry = new KernelEntry({ ...surroundings, facilities });
    this.#idle = new IdleBreakpoints({ ...surroundings, stopFor, onProblem });
    const onFound = (exceptions: ExceptionEntry | undefined): void => {
      this.#entry.disarm();
      this.#idle.exceptions = exceptions;
    };
    this.#search = new KernelSearch({ ...surroundings, stopFor, onFound, onProblem });
    this.#arm();
  }

  /** Takes hold of a machine that was started with -S. Rejects where no stub is. */
  static async attach(options: GuestProcessorsOptions): Promise<GuestProcessors> {
    // It stands until there is somebody to hear of its stops.
    const hold = await MachineHold.over(options.socketPath, options.monitor, () => void guest.#stopped());
    const guest: GuestProcessors = new GuestProcessors(options, hold, await StandingProcessors.of(hold));
    return guest;
  }

  run(): void {
    this.#shouldRun = true;
    if (!this.hold.isRunning && !this.#isHandling) this.hold.release();
    this.#startSearch();
  }

  /** Resolves when all processors stand, or are gone with their QEMU. */
  async pause(): Promise<void> {
    this.#shouldRun = false;
    await Promise.race([this.#whileStanding(async () => {}), this.hold.client.closed]);
  }

  /** As `run`, by another way than the stub's. */
  async runBy(resume: () => Promise<unknown>): Promise<void> {
    this.#shouldRun = true;
    await this.hold.releaseBy(resume);
    this.#startSearch();
  }

  /** Makes a machine that was paused ready to be sent; pages that were written beside QEMU are made known to it. */
  async rest(writtenPages: readonly number[]): Promise<void> {
    if (this.#shouldRun) throw new QemuError("the guest runs");
    const isReady = this.#whileStanding(async () => {
      await this.#touch(writtenPages);
      // QEMU cannot begin with the run state `debug`.
      await this.hold.rest();
      // What was written to the processors is there when this is answered.
      await this.hold.threads();
    });
    const gone = this.hold.client.closed.then(() => Promise.reject(new QemuError("the QEMU that runs this guest is gone")));
    await Promise.race([isReady, gone]);
  }

  /** What is known of the guest's kernel. */
  record(): ProcessorsRecord {
    const exceptions = recordException(this.#idle.exceptions);
    return { ...this.#held.record(), ...this.#search.record(), ...(exceptions && { exceptions }) };
  }

  /** Goes on with a machine that came from elsewhere, where others recorded what they knew. */
  adopt(record: ProcessorsRecord): void {
    this.restart();
    this.#held.adopt(record);
    this.#search.adopt(record);
    if (!this.#held.hasAp) return;
    this.#entry.disarm();
    this.#idle.exceptions = record.exceptions && adoptException(record.exceptions);
  }

  /** The machine was reset while it stood: another kernel will boot. */
  restart(): void {
    this.#held.letAllGo();
    this.#search.forget();
    this.#idle.forget();
    this.#arm();
  }

  close(): void {
    this.#search.end();
    this.#idle.forget();
    this.hold.close();
  }

  // Stops.

  /** Does one thing while the processors stand; they go on afterwards if they should. */
  #whileStanding<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => act().then(resolve, reject));
      if (this.hold.isRunning) this.hold.interrupt();
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
    if (this.#shouldRun && !this.hold.client.isClosed) this.hold.release();
  }

  /** Whether any processor stood at a breakpoint. */
  async #answerAll(): Promise<boolean> {
    // What a new one is about is not found again when it goes on, unless a breakpoint stopped it.
    if (this.#idle.isAsleep) await this.processors.count();
    let isAnswered = false;
    for (const standing of await this.processors.all()) {
      try {
        isAnswered = (await this.#answer(standing)) || isAnswered;
      } catch (error) {
        this.#tell(error);
      }
    }
    return isAnswered;
  }

  /** Powered off, panicked, out of disk space: then it stands until it is told to go on. A processor may be new. */
  async #findReason(): Promise<void> {
    const { status } = (await this.options.monitor.execute("query-status", {})) as { readonly status: unknown };
    if (!ownStops.has(status)) this.#shouldRun = false;
    else if (await this.processors.count()) await this.#answerAll();
  }

  async #answer(standing: Standing): Promise<boolean> {
    const { address } = standing.psw;
    const stfle = this.#held.stfleAt(address);
    const watch = this.#search.watchAt(address);
    if (this.#held.isAp(address)) await this.#answerAp(standing);
    else if (stfle) await this.#entry.answerStfle(stfle, standing);
    else if (watch) await this.#search.checkProgram(watch, standing);
    else if (this.#entry.isHeldAt(address)) await this.#entry.enter(standing);
    else if (await this.#idle.isReadBy(standing)) await this.#idle.wake(standing);
    else return false;
    return true;
  }

  #answerAp(standing: Standing): Promise<void> {
    const { hold, processors } = this;
    const { memory, execute } = this.options;
    this.#idle.used();
    return answerInstruction({ hold, processors, memory, execute, onError: (error) => this.#tell(error) }, standing);
  }

  #tell(error: unknown): void {
    if (!this.hold.client.isClosed) this.options.onProblem(`an AP instruction could not be answered: ${(error as Error).message}`);
  }

  /** A byte of each page is written as it is, by QEMU. */
  async #touch(pages: readonly number[]): Promise<void> {
    const { client } = this.hold;
    await client.command("Qqemu.PhyMemMode:1");
    for (const page of pages) {
      const at = `${page.toString(16)},1`;
      await client.command(`M${at}:${await client.request(`m${at}`)}`);
    }
    await client.command("Qqemu.PhyMemMode:0");
  }

  // What is looked for.

  #arm(): void {
    if (this.options.hasAp) this.#entry.arm();
  }

  #startSearch(): void {
    if (this.options.hasAp) this.#search.start();
  }

  /** A search is never what a stop or a task waits for. */
  #stopFor(act: () => Promise<void>): Promise<void> | undefined {
    if (this.#isHandling || !this.hold.isRunning || this.#tasks.length > 0) return undefined;
    return this.#whileStanding(act);
  }
}
