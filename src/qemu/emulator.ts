import type { GuestPort } from "./guest-port.ts";
import { QemuError } from "./qemu-error.ts";

/**
 * One virtual machine as QEMU keeps it: its run state, its objects, its one vfio-ap device. Monitors and the command line act on it; it
 * knows none of them. Everything that changes it goes through `exclusively`, one at a time, as under QEMU's big lock.
 * Texts and order of checks: QEMU 10.2.2.
 */
export type RunState =
  | "debug" | "inmigrate" | "internal-error" | "io-error" | "paused" | "postmigrate" | "prelaunch" | "finish-migrate" | "restore-vm"
  | "running" | "save-vm" | "shutdown" | "suspended" | "watchdog" | "guest-panicked" | "colo";

/** An event as QMP sends it, without its timestamp. */
export interface EmulatorEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Options of a device as -device and device_add have them, in order; `driver` among them. */
export type DeviceOptions = ReadonlyMap<string, unknown>;

/** What ends an emulator, and how: events and exit status follow from it. */
export type ShutdownReason = "host-qmp-quit" | "host-signal" | "host-ui" | "guest-shutdown" | "guest-reset" | "host-error";

export interface EmulatorOptions {
  readonly name: string;
  readonly port: GuestPort;
  /** Wall clock time in milliseconds, for timestamps of events. */
  readonly nowMs: () => number;
}

export class Emulator {
  #runState: RunState = "prelaunch";
  readonly #listeners = new Set<(event: EmulatorEvent) => void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly options: EmulatorOptions) {}

  get runState(): RunState {
    return this.#runState;
  }

  /** Hears of every event; the result ends that. */
  onEvent(listener: (event: EmulatorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Does one thing after everything that was begun before it. */
  exclusively<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** device_add and -device. QemuError. */
  async addDevice(_options: DeviceOptions): Promise<void> {
    throw new QemuError("not there yet");
  }

  /** device_del: by id or by path of the object. QemuError. */
  async deleteDevice(_idOrPath: string): Promise<void> {
    throw new QemuError("not there yet");
  }

  async stop(): Promise<void> {}

  async cont(): Promise<void> {}

  async systemReset(): Promise<void> {}

  async systemPowerdown(): Promise<void> {}

  /** Resolves when the guest is gone. */
  async quit(_reason: ShutdownReason): Promise<void> {}
}
