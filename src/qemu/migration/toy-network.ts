import { Duplex } from "node:stream";
import { ToyGuestPort } from "../toy-guest-port.ts";
import { frameHeadLayout } from "./frame.ts";
import type { MigrationAddress } from "./migration-address.ts";
import type { MigrationSurroundings } from "./migration-surroundings.ts";
import type { ServeWitness, WitnessOutcome } from "./witness.ts";

/** What happens to a migration at one of its steps. */
export type Fault = "cut" | "garbage" | "stall" | "hang" | "kill source" | "kill target";

type Role = "source" | "target";

/** Questions that a process does not answer that hangs. */
const silentQuestions = 5;

/**
 * Two processes that can die, between which every step is counted: a piece of the connection on its way and come, a call of a port begun and
 * done, a question to a witness. At one step something happens. Time goes only when nothing else does.
 */
export class ToyNetwork {
  steps = 0;
  readonly dead = new Set<Role>();
  /** Both ran at once, at some moment. */
  hasRunTwice = false;
  /** Codes of frames that were sent, and what witnesses answered. */
  readonly sent = new Set<number>();
  readonly answered = new Set<WitnessOutcome>();
  readonly #running = new Set<Role>();
  readonly #timers: { at: number; role: Role; act: () => void }[] = [];
  #nowMs = 0;
  #ends: [ToyEnd, ToyEnd] | undefined;
  #accept: ((stream: Duplex) => void) | undefined;
  readonly #witnesses = new Map<string, { role: Role; answer: Parameters<ServeWitness>[0] }>();
  #isStalled = false;
  #isGarbled = false;
  #silentLeft = 0;

  constructor(
    private readonly fault?: Fault,
    private readonly faultStep = -1,
  ) {}

  /** Counts, and lets happen what is to happen now. Never resolves for a process that is dead. */
  async step(role: Role): Promise<void> {
    const number = this.steps++;
    if (number === this.faultStep) this.#happen();
    if (this.dead.has(role)) await new Promise(() => {});
  }

  surroundings(role: Role): MigrationSurroundings {
    return {
      nowMs: () => this.#nowMs,
      after: (ms, act) => {
        const timer = { at: this.#nowMs + ms, role, act };
        this.#timers.push(timer);
        return () => void (this.#timers.includes(timer) && this.#timers.splice(this.#timers.indexOf(timer), 1));
      },
      connect: async () => this.#connect(),
      listen: async (address: MigrationAddress, accept) => {
        this.#accept = accept;
        return { address, close: () => {} };
      },
      serveWitness: async (answer) => {
        const path = `/witness/${role}`;
        this.#witnesses.set(path, { role, answer });
        return { path, close: () => void this.#witnesses.delete(path) };
      },
      askWitness: async (path, question, token): Promise<WitnessOutcome> => {
        await this.step(role);
        if (this.#silentLeft > 0 && question !== "reach") {
          this.#silentLeft--;
          return "silent";
        }
        const witness = this.#witnesses.get(path);
        if (!witness || this.dead.has(witness.role)) return "gone";
        const answer = await Promise.race([witness.answer(question, token), this.#death(witness.role)]);
        this.answered.add(answer);
        await this.step(role);
        return answer;
      },
    };
  }

  setRunning(role: Role, isRunning: boolean): void {
    if (isRunning) this.#running.add(role);
    else this.#running.delete(role);
    if (this.#running.size > 1) this.hasRunTwice = true;
  }

  isRunning(role: Role): boolean {
    return this.#running.has(role);
  }

  /** Lets all happen until it is over, or nothing more does. */
  async settle(isOver: () => boolean): Promise<void> {
    const maxTimers = 200;
    for (let fired = 0; fired < maxTimers; fired++) {
      for (let turns = 0; turns < 30; turns++) await new Promise((resolve) => setImmediate(resolve));
      if (isOver()) return;
      const [next] = this.#timers.sort((left, right) => left.at - right.at);
      if (!next) return;
      this.#timers.shift();
      this.#nowMs = next.at;
      if (!this.dead.has(next.role)) next.act();
    }
  }

  async deliver(from: ToyEnd, piece: Buffer): Promise<void> {
    this.sent.add(piece.readUInt32BE(frameHeadLayout.type));
    await this.step(from.role);
    if (this.#isStalled) await new Promise(() => {});
    const bytes = this.#isGarbled ? Buffer.from(piece.map((byte) => byte ^ 0x5a)) : piece;
    this.#isGarbled = false;
    if (!from.peer.destroyed) from.peer.push(bytes);
    await this.step(from.role);
  }

  #connect(): Duplex {
    const [near, far] = [new ToyEnd(this, "source"), new ToyEnd(this, "target")];
    near.peer = far;
    far.peer = near;
    this.#ends = [near, far];
    this.#accept?.(far);
    return near;
  }

  #happen(): void {
    if (this.fault === "cut") this.#cut();
    if (this.fault === "garbage") this.#isGarbled = true;
    if (this.fault === "stall" || this.fault === "hang") this.#isStalled = true;
    if (this.fault === "hang") this.#silentLeft = silentQuestions;
    if (this.fault === "kill source") this.#kill("source");
    if (this.fault === "kill target") this.#kill("target");
  }

  #kill(role: Role): void {
    this.dead.add(role);
    this.setRunning(role, false);
    this.#cut();
  }

  #cut(): void {
    for (const end of this.#ends ?? []) end.destroy(Object.assign(new Error("cut"), { code: "ECONNRESET" }));
  }

  /** A process that dies while it is asked closes the connection. */
  #death(role: Role): Promise<WitnessOutcome> {
    return new Promise((resolve) => {
      const look = (): void => void (this.dead.has(role) ? resolve("silent") : setImmediate(look).unref());
      look();
    });
  }
}

class ToyEnd extends Duplex {
  peer!: ToyEnd;

  constructor(
    private readonly network: ToyNetwork,
    readonly role: Role,
  ) {
    super();
    this.on("error", () => {});
  }

  override _read(): void {}

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    void this.network.deliver(this, piece).then(done);
  }

  override _final(done: () => void): void {
    if (!this.peer.destroyed) this.peer.push(null);
    done();
  }

  override _destroy(_error: Error | null, done: () => void): void {
    if (!this.network.dead.has(this.role) || this.peer) setImmediate(() => this.peer.destroyed || this.peer.destroy(new Error("reset")));
    done();
  }
}

/** A toy host in a process that can die: then it does nothing any more, and its guest is gone. */
export class MortalPort extends ToyGuestPort {
  constructor(
    private readonly network: ToyNetwork,
    private readonly role: Role,
  ) {
    super();
    const { device, machine } = this;
    Object.assign(device, {
      setState: this.#stepwise(device.setState),
      read: this.#stepwise(device.read),
      write: this.#stepwise(device.write),
    });
    const { send, receive } = machine;
    Object.assign(machine, {
      send: this.#stepwise(async (channel: Parameters<typeof send>[0]) => {
        const outgoing = await send(channel);
        return { complete: this.#stepwise(outgoing.complete), cancel: outgoing.cancel };
      }),
      receive: this.#stepwise(receive),
    });
  }

  override run(): Promise<void> {
    return this.#stepwise(async () => {
      await super.run();
      this.network.setRunning(this.role, true);
    })();
  }

  override pause(): Promise<void> {
    return this.#stepwise(async () => {
      await super.pause();
      this.network.setRunning(this.role, false);
    })();
  }

  override destroy(): Promise<void> {
    return this.#stepwise(async () => {
      await super.destroy();
      this.network.setRunning(this.role, false);
    })();
  }

  #stepwise<Arguments extends unknown[], Result>(
    act: (...values: Arguments) => Promise<Result>,
  ): (...values: Arguments) => Promise<Result> {
    return async (...values) => {
      await this.network.step(this.role);
      const result = await act(...values);
      await this.network.step(this.role);
      return result;
    };
  }
}
