import type { Emulator } from "../emulator.ts";
import type { OutgoingMachine } from "../guest-port.ts";
import { QemuError } from "../qemu-error.ts";
import { enterState, sendDevice } from "./device-transfer.ts";
import { expectFrame, FrameConnection } from "./frame-connection.ts";
import { describeGuest, isStateBefore, readReady, type StateBefore } from "./guest-hello.ts";
import { outgoingChannel } from "./machine-channel.ts";
import type { MigrationAddress } from "./migration-address.ts";
import type { MigrationSurroundings } from "./migration-surroundings.ts";
import type { Witness, WitnessAnswer, WitnessQuestion } from "./witness.ts";

/** How long the guest may stand before the target has everything. */
export const switchoverLimitMs = 60_000;
/** How often a witness is asked that does not answer. */
export const askAgainMs = 1_000;
/** A host notices a moment later than its peer that a front's process has ended, and its guest with it. */
export const hostNoticesMs = 250;

/** What a migration tells while it goes on. */
export interface OutgoingProgress {
  readonly active: () => void;
  /** The guest stands; resolves when the rest may go. */
  readonly maySwitchOver: () => Promise<void>;
  readonly device: () => void;
  /** It came to nothing, and the guest is about to be as it was. */
  readonly failing: (cause: Error) => void;
}

export interface OutgoingTimes {
  readonly downtimeMs: number;
  /** Of the AP part alone: without memory and processors. */
  readonly apDowntimeMs: number;
}

/**
 * One guest on its way out. The source alone decides whose the guest is, once: it is its own until `loaded` came and nothing was against it,
 * then it is the target's. What breaks before gives the guest back; what breaks after is settled by the target's witness.
 */
export class OutgoingMigration {
  #decision: "undecided" | "mine" | "yours" = "undecided";
  #connection: FrameConnection | undefined;
  #machine: OutgoingMachine | undefined;
  #before: StateBefore | undefined;
  #isDeviceTouched = false;
  /** Why it is to end, from before there was a connection. */
  #refusal: Error | undefined;
  #targetWitness = "";

  constructor(
    private readonly emulator: Emulator,
    private readonly surroundings: MigrationSurroundings,
    private readonly witness: Witness,
    readonly token: string,
  ) {}

  /** The answer of the witness: being asked is deciding, for it means that the target hears nothing any more. */
  answer(question: WitnessQuestion): WitnessAnswer {
    if (question === "reach") return "here";
    if (this.#decision === "undecided") this.giveUp(new QemuError("Unable to read from socket: Connection reset by peer"));
    return this.#decision === "yours" ? "yours" : "mine";
  }

  /** The guest stays, if that is not decided otherwise. */
  giveUp(cause: Error): void {
    if (this.#decision !== "undecided") return;
    this.#decision = "mine";
    this.#refusal = cause;
    this.#connection?.end("abort", cause.message);
  }

  /** Resolves when the guest runs at the target. QemuError, PeerGaveUp and others: it is here as it was. */
  async run(address: MigrationAddress, progress: OutgoingProgress): Promise<OutgoingTimes> {
    try {
      const stream = await this.surroundings.connect(address);
      if (this.#refusal) stream.destroy();
      this.#throwIfRefused();
      const connection = new FrameConnection(stream, { after: this.surroundings.after });
      this.#connection = connection;
      return await this.#migrate(connection, progress);
    } catch (error) {
      const cause = this.#refusal ?? (error as Error);
      this.giveUp(cause);
      await this.#takeBack(() => progress.failing(cause));
      throw cause;
    }
  }

  async #migrate(connection: FrameConnection, progress: OutgoingProgress): Promise<OutgoingTimes> {
    const { emulator, surroundings } = this;
    const { nowMs } = surroundings;
    await connection.sendJson("hello", { ...describeGuest(emulator), token: this.token, witness: this.witness.path });
    this.#targetWitness = readReady(await expectFrame(connection, "ready")).witness;
    await this.#checkReach();
    progress.active();
    const channel = outgoingChannel(connection);
    channel.on("error", () => {});
    const machine = await this.#sendMachine(connection, channel);
    // The guest would stand for as long as the target is behind with its memory.
    await connection.send("almost");
    await expectFrame(connection, "caughtUp");
    const stoppedAt = nowMs();
    await this.#turn(async () => {
      const { runState } = emulator;
      if (!isStateBefore(runState)) throw new QemuError(`the guest is ${runState}`);
      this.#before = runState;
      await emulator.standForMigration();
    });
    await connection.sendJson("stopped", { runState: this.#before });
    await connection.orLost(progress.maySwitchOver());
    this.#throwIfRefused();
    const forgetLimit = surroundings.after(switchoverLimitMs, () =>
      this.giveUp(new QemuError(`the target did not have the guest within ${switchoverLimitMs / 1000} s`)),
    );
    try {
      progress.device();
      const deviceAt = nowMs();
      const device = emulator.vfioAp;
      if (device) {
        this.#isDeviceTouched = true;
        const port = emulator.options.port.device;
        await this.#turn(() => enterState(port, device, "stop-copy"));
        await connection.orLost(sendDevice(connection, port, device));
        await expectFrame(connection, "deviceLoaded");
      }
      const machineAt = nowMs();
      await connection.orLost(machine.complete());
      await expectFrame(connection, "machineLoaded");
      const wholeAt = nowMs();
      await expectFrame(connection, "loaded");
      await this.#decide();
      await this.#confirm(connection);
      const runningAt = nowMs();
      const apDowntimeMs = device ? machineAt - deviceAt + (runningAt - wholeAt) : 0;
      return { downtimeMs: runningAt - stoppedAt, apDowntimeMs };
    } finally {
      forgetLimit();
    }
  }

  /** Both can be asked later, or it does not begin. */
  async #checkReach(): Promise<void> {
    if ((await this.surroundings.askWitness(this.#targetWitness, "reach", this.token)) === "here") return;
    throw new QemuError(`the target cannot be reached at ${this.#targetWitness}`);
  }

  async #sendMachine(connection: FrameConnection, channel: ReturnType<typeof outgoingChannel>): Promise<OutgoingMachine> {
    const sending = this.emulator.options.port.machine.send(channel);
    // It may be there too late, and then stays all the same.
    sending.then(
      (machine) => {
        this.#machine = machine;
        if (this.#decision === "mine") return machine.cancel();
        return undefined;
      },
      () => {},
    );
    try {
      return await connection.orLost(sending);
    } catch (error) {
      channel.destroy(error as Error);
      throw error;
    }
  }

  /** In the emulator's turn, unless it ended or the guest stays. */
  #turn(act: () => Promise<void>): Promise<void> {
    return this.emulator.exclusively(async () => {
      this.#throwIfRefused();
      if (this.emulator.hasEnded) throw new QemuError("the guest has ended");
      await act();
    });
  }

  #decide(): Promise<void> {
    return this.#turn(async () => {
      this.#decision = "yours";
    });
  }

  /** Resolves when the target has the guest. Rejects, and the guest is this side's again, when it never will. */
  async #confirm(connection: FrameConnection): Promise<void> {
    try {
      await connection.send("go");
      await expectFrame(connection, "running");
      connection.end("done");
    } catch (error) {
      connection.fail(error as Error);
      await this.#settle(error as Error);
    }
  }

  async #settle(cause: Error): Promise<void> {
    while (!this.emulator.hasEnded) {
      const answer = await this.surroundings.askWitness(this.#targetWitness, "yours", this.token);
      if (answer === "running") return;
      if (answer === "gave-up" || answer === "gone") {
        if (answer === "gone") await this.#pause(hostNoticesMs);
        this.#decision = "mine";
        throw cause;
      }
      await this.#pause(askAgainMs);
    }
    throw cause;
  }

  /** The guest is as it was. */
  async #takeBack(tell: () => void): Promise<void> {
    await this.emulator.exclusively(async () => {
      tell();
      if (this.emulator.hasEnded) return;
      await this.#machine?.cancel();
      await this.#takeDeviceBack();
      if (this.#before !== undefined) await this.emulator.goOnAfterMigration(this.#before);
    });
  }

  async #takeDeviceBack(): Promise<void> {
    const { vfioAp: device, options } = this.emulator;
    if (!device || !this.#isDeviceTouched) return;
    try {
      await enterState(options.port.device, device, "running");
    } catch (error) {
      // A guest with a device that does nothing is better than none.
      options.report?.((error as Error).message);
    }
  }

  #throwIfRefused(): void {
    if (this.#refusal) throw this.#refusal;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.surroundings.after(ms, resolve));
  }
}
