import { controlRegisterOf, type Translation } from "./address-space.ts";
import type { MachineHold } from "./gdb/machine-hold.ts";
import { decodeProcessorState, firstControlRegister, type ProcessorState } from "./gdb/processor-state.ts";
import type { Psw } from "./psw.ts";

/** A processor that stands, as the stub told of it. */
export interface Standing extends ProcessorState {
  readonly thread: string;
  /** The text of `g`. */
  readonly text: string;
  /** Of the home space, in which a kernel of Linux runs. */
  readonly cr13: bigint;
}

const programNewPsw = 0x1d0;

/** The processors of a machine that stands: what each of them has in its registers and in its prefix area. */
export class StandingProcessors {
  #threads: readonly string[] = [];

  private constructor(
    private readonly hold: MachineHold,
    private readonly cr0: number,
  ) {}

  static async of(hold: MachineHold): Promise<StandingProcessors> {
    const processors = new StandingProcessors(hold, await firstControlRegister(hold.client));
    await processors.count();
    return processors;
  }

  /** Sees which there are: one may be new. Whether one is. */
  async count(): Promise<boolean> {
    const before = this.#threads.length;
    this.#threads = await this.hold.threads();
    return this.#threads.length > before;
  }

  /** Every processor; asked for at once, since each way to the stub and back costs a tenth of a millisecond. */
  all(): Promise<Standing[]> {
    return Promise.all(this.#threads.map((thread) => this.one(thread)));
  }

  async one(thread: string): Promise<Standing> {
    const { client } = this.hold;
    const [, text, cr13] = await Promise.all([client.request(`Hg${thread}`), client.request("g"), this.#controlRegister(13)]);
    return { ...decodeProcessorState(text), thread, text, cr13 };
  }

  /** Makes it the one that is written to, which else is the last that was asked about. */
  select({ thread }: Standing): void {
    if (this.#threads.length > 1) this.hold.client.request(`Hg${thread}`).catch(() => {});
  }

  /** By which a standing processor would take operands with this PSW. */
  async translation(psw: Psw, { thread, cr13 }: Standing): Promise<Translation> {
    const register = controlRegisterOf(psw);
    if (register === undefined) return { asce: undefined };
    if (register === 13) return { asce: cr13 };
    const [, asce] = await Promise.all([this.hold.client.request(`Hg${thread}`), this.#controlRegister(register)]);
    return { asce };
  }

  /** Of program interruptions, as each processor sees it: its lowest 8 KiB are its own, and which one boots is not known. */
  newPsws(): Promise<string[]> {
    const { client } = this.hold;
    const read = `m${programNewPsw.toString(16)},10`;
    return Promise.all(this.#threads.map(async (thread) => (await Promise.all([client.request(`Hg${thread}`), client.request(read)]))[1]));
  }

  async #controlRegister(number: number): Promise<bigint> {
    return BigInt(`0x${await this.hold.client.request(`p${(this.cr0 + number).toString(16)}`)}`);
  }
}
