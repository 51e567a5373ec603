import type { GuestPort } from "./guest-port.ts";
import { QemuError } from "./qemu-error.ts";
import type { RunState } from "./run-state.ts";

export interface RunControlSurroundings {
  /** -incoming: its guest comes from elsewhere. */
  readonly isIncoming: boolean;
  readonly isGone: () => boolean;
  /** Absent for a machine without a guest. */
  readonly port?: Pick<GuestPort, "run" | "pause">;
  /** Before it goes on where it was to be left: its device stood still with it. */
  readonly runDevice: () => Promise<void>;
  readonly emit: (event: "STOP" | "RESUME") => void;
  /** It goes on after RESUME was told. */
  readonly onResumed: () => Promise<void>;
}

/**
 * Run and stand of one virtual machine: its run state, and what changes it. A migration takes it from `running` by `finish-migrate` to
 * `postmigrate`, or back; on the other side from `inmigrate` to what it was. Source: QEMU 10.2.2 system/runstate.c and migration/migration.c.
 */
export class RunControl {
  #state: RunState;
  /** -incoming without -S: the guest runs when it has come. */
  #runsOnArrival = false;

  constructor(private readonly surroundings: RunControlSurroundings) {
    this.#state = surroundings.isIncoming ? "inmigrate" : "prelaunch";
  }

  get state(): RunState {
    return this.#state;
  }

  /** The machine is complete: it runs, unless -S was given or its guest is still to come. */
  async begin({ isPaused }: { readonly isPaused: boolean }): Promise<void> {
    if (this.#state === "inmigrate") this.#runsOnArrival = !isPaused;
    else if (!isPaused) await this.cont();
  }

  async stop(): Promise<void> {
    if (this.#state === "inmigrate") this.#runsOnArrival = false;
    if (this.#state === "running") await this.#stand("paused");
  }

  /** QemuError where only a reset helps. */
  async cont(): Promise<void> {
    const { isGone, port, runDevice, emit, onResumed } = this.surroundings;
    if (this.#state === "shutdown" || this.#state === "internal-error") throw new QemuError("Resetting the Virtual Machine is required");
    if (this.#state === "running" || isGone()) return;
    if (this.#state === "finish-migrate") throw new QemuError("Migration is not finalized yet");
    if (this.#state === "inmigrate") {
      this.#runsOnArrival = true;
      return;
    }
    if (this.#state === "postmigrate") await runDevice();
    await port?.run();
    this.#state = "running";
    emit("RESUME");
    await onResumed();
  }

  /** It stands in this state from now on, whether it ran or not. */
  async standAs(state: "shutdown" | "guest-panicked" | "finish-migrate"): Promise<void> {
    if (this.#state === "running") await this.#stand(state);
    else this.#state = state;
  }

  /** Its migration came to nothing: it is as it was. */
  async goOnAfterMigration(before: RunState): Promise<void> {
    if (this.#state !== "finish-migrate") return;
    this.#state = before === "running" ? "paused" : before;
    if (before === "running") await this.cont();
  }

  /** The guest is elsewhere. */
  leave(): void {
    if (this.#state === "finish-migrate") this.#state = "postmigrate";
  }

  /** The guest has come: it runs if it did, and if this side lets it. */
  async arrive(before: RunState): Promise<void> {
    this.#state = before === "running" ? "paused" : before;
    if (before !== "running" || !this.#runsOnArrival) return;
    try {
      await this.cont();
    } catch (error) {
      if (this.#state !== "shutdown") this.#state = "inmigrate";
      throw error;
    }
  }

  /** It was reset. */
  wasReset(): void {
    if (!statesThatAResetKeeps.has(this.#state)) this.#state = "prelaunch";
  }

  /** Nothing is left to run. */
  end(): void {
    this.#state = "shutdown";
  }

  /** Stops what runs. */
  async #stand(state: RunState): Promise<void> {
    await this.surroundings.port?.pause();
    this.#state = state;
    this.surroundings.emit("STOP");
  }
}

/** Source: qemu_system_reset and main_loop_should_exit of QEMU 10.2.2's system/runstate.c. */
const statesThatAResetKeeps: ReadonlySet<RunState> = new Set(["running", "inmigrate", "finish-migrate"]);
