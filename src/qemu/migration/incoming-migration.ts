import type { Duplex } from "node:stream";
import type { ErrnoName } from "../../sysfs/errno.ts";
import { errnoText } from "../../sysfs/errno-text.ts";
import { vmstateId } from "../devices/vfio-ap-migration.ts";
import type { Emulator } from "../emulator.ts";
import { QemuError } from "../qemu-error.ts";
import { DeviceError, enterState, loadError } from "./device-transfer.ts";
import { type Frame, StreamError } from "./frame.ts";
import { expectFrame, FrameConnection, PeerGaveUp } from "./frame-connection.ts";
import { describeGuest, type GuestHello, readHello, readStopped, type StateBefore, whyNotHere } from "./guest-hello.ts";
import { IncomingChannel } from "./machine-channel.ts";
import type { MigrationSurroundings } from "./migration-surroundings.ts";
import { askAgainMs, hostNoticesMs } from "./outgoing-migration.ts";
import type { Witness, WitnessAnswer, WitnessQuestion } from "./witness.ts";

/**
 * One guest that comes in. Until `loaded` is said anything that goes wrong ends it; afterwards this side does what the source decided, and
 * asks the source's witness when it does not hear it.
 */
export class IncomingMigration {
  #state: "loading" | "loaded" | "running" | "gave-up" = "loading";
  #before: StateBefore = "running";
  #arrival: Promise<void> | undefined;
  #hello: GuestHello | undefined;
  readonly #channel = new IncomingChannel();

  constructor(
    private readonly emulator: Emulator,
    private readonly surroundings: MigrationSurroundings,
    private readonly witness: Witness,
  ) {}

  /** The answer of the witness. The source asks only after it decided that the guest is this side's. */
  async answer(question: WitnessQuestion, token: string): Promise<WitnessAnswer> {
    if (question === "reach") return "here";
    if (token !== this.#hello?.token || question !== "yours") return "gave-up";
    if (this.#state === "loaded") await this.#arrive().catch(() => {});
    return this.#state === "running" ? "running" : "gave-up";
  }

  /**
   * Resolves when the guest is here. LoadError: it is not and never will be.
   */
  async run(stream: Duplex): Promise<void> {
    const connection = new FrameConnection(stream, {
      after: this.surroundings.after,
      divert: (frame) => this.#channel.take(frame),
    });
    try {
      await this.#load(connection);
    } catch (error) {
      this.#state = "gave-up";
      this.#channel.fail(error as Error);
      const problem = asLoadError(error as Error);
      connection.end("failed", problem.message);
      throw problem;
    }
    await this.#wait(connection);
  }

  async #load(connection: FrameConnection): Promise<void> {
    const hello = readHello(await expectFrame(connection, "hello"));
    this.#hello = hello;
    const why = whyNotHere(describeGuest(this.emulator), hello);
    if (why !== undefined) throw new LoadError("EINVAL", why);
    if ((await this.surroundings.askWitness(hello.witness, "reach", hello.token)) !== "here") {
      throw new LoadError("EIO", `the source cannot be reached at ${hello.witness}`);
    }
    await this.#prepareDevice(hello);
    await connection.sendJson("ready", { witness: this.witness.path });
    const machine = this.emulator.options.port.machine.receive(this.#channel.readable);
    const failing = new Promise<never>((_, reject) => void machine.catch(reject));
    failing.catch(() => {});
    const orFailing = <T>(promise: Promise<T>): Promise<T> => connection.orLost(Promise.race([promise, failing]));
    await orFailing(expectFrame(connection, "almost"));
    await connection.send("caughtUp");
    this.#before = readStopped(await orFailing(expectFrame(connection, "stopped"))).runState;
    if (hello.device) {
      await orFailing(this.#loadDevice(connection));
      await connection.send("deviceLoaded");
    }
    await orFailing(machine);
    await connection.send("machineLoaded");
    await this.#turn(async () => {
      const device = this.emulator.vfioAp;
      if (hello.device && device) await enterState(this.emulator.options.port.device, device, "running");
    });
    this.#state = "loaded";
    // Whether this reaches the source or not, from here on the source knows what is.
    await connection.send("loaded").catch(() => {});
  }

  /** While the guest still runs at the source, as QEMU sets its devices up. */
  async #prepareDevice({ device: coming }: GuestHello): Promise<void> {
    await this.#turn(async () => {
      const device = this.emulator.vfioAp;
      if (coming && device) await enterState(this.emulator.options.port.device, device, "resuming");
    });
  }

  async #loadDevice(connection: FrameConnection): Promise<void> {
    const { device: port } = this.emulator.options.port;
    for (;;) {
      const frame: Frame = await nextOfDevice(connection);
      if (frame.type === "deviceEnd") return;
      await this.#turn(async () => {
        const errno = await port.write(frame.bytes);
        if (errno !== undefined) throw loadError(errno);
      });
    }
  }

  /** The source has everything to decide now. LoadError: the guest is the source's. */
  async #wait(connection: FrameConnection): Promise<void> {
    try {
      await expectFrame(connection, "go");
    } catch (error) {
      if (error instanceof PeerGaveUp) return this.#giveUp(error);
      connection.fail(error as Error);
      if (!(await this.#isOurs())) return this.#giveUp(error as Error);
    }
    try {
      await this.#arrive();
    } catch (error) {
      // The source waits for it as long as the connection lives, and takes it back when it asks.
      connection.end("failed", (error as Error).message);
      throw error;
    }
    try {
      await connection.send("running");
      await expectFrame(connection, "done");
      connection.end("done");
    } catch {
      // It runs; whether the source knows, its question to the witness will tell it.
    }
  }

  /** Asks until it is known: as long as the source's process lives it alone knows. */
  async #isOurs(): Promise<boolean> {
    const { witness, token } = this.#hello!;
    while (this.#state === "loaded" && !this.#arrival) {
      const answer = await this.surroundings.askWitness(witness, "whose", token);
      if (answer === "yours") return true;
      if (answer === "mine") return this.#arrival !== undefined;
      if (answer === "gone") {
        await this.#pause(hostNoticesMs);
        return true;
      }
      await this.#pause(askAgainMs);
    }
    return true;
  }

  #giveUp(cause: Error): never {
    this.#state = "gave-up";
    throw asLoadError(cause);
  }

  /** Once, whoever says that it is ours. */
  #arrive(): Promise<void> {
    this.#arrival ??= this.#turn(async () => {
      await this.emulator.arrive(this.#before);
      this.#state = "running";
    }).catch((error: unknown) => {
      this.#state = "gave-up";
      throw asLoadError(error as Error);
    });
    return this.#arrival;
  }

  #turn(act: () => Promise<void>): Promise<void> {
    return this.emulator.exclusively(async () => {
      if (this.emulator.hasEnded) throw new QemuError("the guest has ended");
      await act();
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.surroundings.after(ms, resolve));
  }
}

/** As process_incoming_migration_co of QEMU 10.2.2 puts it. */
export class LoadError extends QemuError {
  constructor(
    errno: ErrnoName,
    text: string,
    /** What stands on stderr before. */
    readonly lines: readonly string[] = [],
  ) {
    super(`load of migration failed: ${errnoText(errno) ?? errno}: ${text}`);
  }
}

function asLoadError(error: Error): LoadError {
  if (error instanceof LoadError) return error;
  if (error instanceof DeviceError)
    return new LoadError(error.errno, error.message, [`error while loading state section id 1(${vmstateId})`]);
  return new LoadError(error instanceof StreamError ? "EINVAL" : "EIO", error.message);
}

async function nextOfDevice(connection: FrameConnection): Promise<Frame> {
  const frame = await connection.next();
  if (frame.type === "device" || frame.type === "deviceEnd") return frame;
  throw new StreamError(`Frame ${frame.type} came where device is due`);
}
