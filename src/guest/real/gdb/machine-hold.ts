import { GdbClient } from "./gdb-client.ts";
import { encodePacket } from "./packet.ts";

/**
 * Holds the processors of a stock QEMU by its gdb stub, so that breakpoints cost little. QEMU throws all translated code away whenever a
 * breakpoint stops a machine that a debugger is attached to; translating it again takes the guest longer than anything else here. So the
 * debugger is attached only while the machine stands:
 *
 *     running   detached, breakpoints set; a stop shows as the STOP event of QMP
 *     standing  attached: registers and memory are to be read and written
 *
 * Detaching takes the breakpoints away and lets the machine run. What follows it in the same piece of bytes stops it again before any
 * processor has run, since QEMU does not let go of its lock in between, sets the breakpoints, and continues. That costs one STOP event.
 * Measured: docs/adr/0006-detached-breakpoints.md.
 */
export interface MachineEvents {
  /** Hears of every QMP event of the machine. */
  watch(watcher: (event: { readonly event: string }) => void): void;
}

/** QEMU takes this much of a socket at once: more could be cut between detaching and stopping. */
const maxReleaseBytes = 4096 - 1500;

export class MachineHold {
  readonly #breakpoints = new Set<bigint>();
  #watched: bigint | undefined;
  #isRunning = false;
  /** Of the release itself. */
  #expectedStops = 0;
  #stopWaiters: (() => void)[] = [];

  private constructor(
    readonly client: GdbClient,
    events: MachineEvents,
    private readonly onStop: () => void,
  ) {
    events.watch(({ event }) => event === "STOP" && this.#stopSeen());
  }

  /** Of a machine that was started with -S: it stands. Rejects where no stub is. */
  static async over(path: string, events: MachineEvents, onStop: () => void): Promise<MachineHold> {
    const client = await GdbClient.connect(path);
    await client.request("?");
    return new MachineHold(client, events, onStop);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  hasBreakpoint(address: bigint): boolean {
    return this.#breakpoints.has(address);
  }

  /** In force when the machine runs again. Throws an Error when there are too many. */
  setBreakpoint(address: bigint): void {
    this.#breakpoints.add(address);
    if (this.#releaseBytes().length <= maxReleaseBytes) return;
    this.#breakpoints.delete(address);
    throw new Error(`no more than ${this.#breakpoints.size} breakpoints`);
  }

  clearBreakpoint(address: bigint): void {
    this.#breakpoints.delete(address);
  }

  /** A processor that reads the doubleword there stops behind the instruction; undefined: none. In force when the machine runs again. */
  watchReads(address: bigint | undefined): void {
    this.#watched = address;
  }

  /** Lets all processors run; `onStop` hears of the next stop, whatever its reason. */
  release(): void {
    this.#isRunning = true;
    this.#expectedStops = 1;
    this.client.send(this.#releaseBytes(), 1 + this.#points.length);
  }

  /** The same by another way than the stub's, which does more. */
  async releaseBy(resume: () => Promise<unknown>): Promise<void> {
    await this.#detachStanding();
    this.#isRunning = true;
    this.#expectedStops = 0;
    await resume();
  }

  /** Makes the run state of a machine that stands `paused`, whatever stopped it. */
  async rest(): Promise<void> {
    await this.#detachStanding();
    this.#attach();
  }

  /** Asks a running machine to stop. */
  interrupt(): void {
    if (this.#isRunning) this.client.send("+");
  }

  /** Lets one standing processor do one instruction, without a stop at breakpoints. */
  async step(thread: string): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#stopWaiters.push(resolve));
    await this.client.request(`vCont;s:${thread}`);
    await stopped;
  }

  /** Names of the processors. */
  async threads(): Promise<string[]> {
    const names: string[] = [];
    for (let reply = await this.client.request("qfThreadInfo"); reply.startsWith("m"); reply = await this.client.request("qsThreadInfo")) {
      names.push(...reply.slice(1).split(","));
    }
    return names;
  }

  close(): void {
    this.client.close();
  }

  #releaseBytes(): string {
    return `${this.#detachBytes()}${encodePacket("c")}`;
  }

  /** The first + acknowledges the answer to D, the second stops what D let run. */
  #detachBytes(): string {
    return `${encodePacket("D")}++${this.#points.map(encodePacket).join("")}`;
  }

  get #points(): string[] {
    const points = [...this.#breakpoints].map((address) => `Z1,${address.toString(16)},2`);
    return this.#watched === undefined ? points : [...points, `Z3,${this.#watched.toString(16)},8`];
  }

  async #detachStanding(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#stopWaiters.push(resolve));
    // The last answer is acknowledged here: a + that asks to stop would else be taken for that.
    this.client.send(`${this.#detachBytes()}+`, 1 + this.#points.length);
    await Promise.race([stopped, this.client.closed]);
  }

  /** An acknowledgement first, in case the stub waits for one. */
  #attach(): void {
    this.client.send(`+${encodePacket("vAttach;1")}`, 1);
  }

  #stopSeen(): void {
    if (!this.#isRunning) return this.#stopWaiters.shift()?.();
    if (this.#expectedStops > 0) {
      this.#expectedStops--;
      return;
    }
    this.#isRunning = false;
    this.#attach();
    this.onStop();
  }
}
