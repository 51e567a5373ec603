import { errnoText } from "../sysfs/errno-text.ts";
import { createGuest } from "./create-guest.ts";
import type { DeviceOptions } from "./devices/device-checks.ts";
import { MachineDevices } from "./devices/machine-devices.ts";
import type { MigrationBlocker } from "./devices/vfio-ap-migration.ts";
import { vfioName } from "./devices/vfio-name.ts";
import { defaultMachine, type EmulatorOptions, type GuestActions } from "./emulator-options.ts";
import { Machine } from "./objects/machine.ts";
import type { QomDevice, QomObject } from "./objects/qom-object.ts";
import { relayStockEvents } from "./relay-stock-events.ts";
import { RunControl } from "./run-control.ts";
import type { RunState } from "./run-state.ts";

/** An event as QMP sends it, without its timestamp. */
export interface EmulatorEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What ends an emulator, and how: events and exit status follow from it. */
export type ShutdownReason = "host-qmp-quit" | "host-signal" | "host-ui" | "guest-shutdown" | "guest-reset" | "host-error";

/**
 * One virtual machine as QEMU keeps it: its run state, its objects, its one vfio-ap device. Monitors and the command line act on it; it
 * knows none of them. Everything that changes it goes through `exclusively`, one at a time, as under QEMU's big lock: whoever calls a
 * method that returns a promise does so there. Texts, events and order of checks: QEMU 10.2.2.
 */
export class Emulator {
  readonly machine: Machine;
  /** Resolves with the exit status when the guest is gone. */
  readonly ended: Promise<number>;
  /** A migration is under way: devices stay as they are. */
  isMigrating = false;
  #isReady = false;
  #hasEnded = false;
  #isPoweringDown = false;
  #end!: (status: number) => void;
  #actions: GuestActions;
  readonly #run: RunControl;
  readonly #devices: MachineDevices;
  readonly #listeners = new Set<(event: EmulatorEvent) => void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly options: EmulatorOptions) {
    this.#actions = options.actions ?? { shutdown: "poweroff", reboot: "reset" };
    this.machine = new Machine(options.machine ?? defaultMachine(options.port));
    this.#devices = new MachineDevices({
      machine: this.machine,
      port: options.port,
      stock: options.stock,
      isMigratableOnly: options.isMigratableOnly ?? false,
      isMigrating: () => this.isMigrating,
      deleted: (data) => this.#emit("DEVICE_DELETED", data),
      report: (line) => this.#report(line),
      note: (line) => options.note?.(line),
    });
    this.#run = new RunControl({
      isIncoming: options.isIncoming ?? false,
      isGone: () => this.#hasEnded,
      ...(!this.#isEmpty && { port: options.port }),
      runDevice: async () => {
        if (this.vfioAp && !this.migrationBlocker) await options.port.device.setState("running");
      },
      emit: (event) => this.#emit(event),
      onResumed: async () => {
        if (this.#isPoweringDown) await this.#powerOff();
      },
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    if (options.stock) relayStockEvents(options.stock, this.#devices, (event, data) => this.#emit(event, data));
  }

  get runState(): RunState {
    return this.#run.state;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The root of the object tree; src/qemu/objects/object-queries.ts reads it. */
  get objects(): QomObject {
    return this.machine.root;
  }

  /** The vfio-ap device, if there is one. */
  get vfioAp(): QomDevice | undefined {
    return this.#devices.vfioAp;
  }

  /** What its devices have against a migration. */
  get migrationBlocker(): MigrationBlocker | undefined {
    return this.#devices.migrationBlocker;
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

  /** Makes the virtual machine at the port. Devices of the command line are added between this and `begin`. QemuError. */
  async create(): Promise<void> {
    this.options.port.listen({
      deviceRequested: () => this.#later(() => this.#giveDeviceBack()),
      guestStopped: (reason) => this.#later(() => this.#guestStopped(reason)),
      hostEnded: () => this.#hostEnded(),
      stockEnded: (how) => this.#later(() => this.#stockEnded(how)),
    });
    await createGuest(this.options, this.machine.options);
  }

  /** The machine is complete: it runs, unless -S was given or its guest is still to come. */
  async begin(how: { readonly isPaused: boolean }): Promise<void> {
    this.#isReady = true;
    await this.#run.begin(how);
  }

  /** device_add and -device; `place` is where it stands on the command line. QemuError. */
  async addDevice(options: DeviceOptions, place?: string): Promise<void> {
    await this.#devices.add(options, { isHotplug: this.#isReady, place });
  }

  /** device_del: by id or by path of the object. QemuError. */
  async deleteDevice(idOrPath: string): Promise<void> {
    await this.#devices.remove(idOrPath);
  }

  stop(): Promise<void> {
    return this.#run.stop();
  }

  /** QemuError where only a reset helps. */
  cont(): Promise<void> {
    return this.#run.cont();
  }

  /** The guest stands for the rest of its migration. */
  standForMigration(): Promise<void> {
    return this.#run.standAs("finish-migrate");
  }

  /** Its migration came to nothing: it is as it was. */
  goOnAfterMigration(before: RunState): Promise<void> {
    return this.#run.goOnAfterMigration(before);
  }

  /** The guest is elsewhere. */
  leave(): void {
    this.#run.leave();
  }

  /** The guest has come: it runs if it did, and if this side lets it. */
  arrive(before: RunState): Promise<void> {
    return this.#run.arrive(before);
  }

  async systemReset(): Promise<void> {
    if (this.#actions.reboot === "shutdown") return this.#shutDown(false, "host-qmp-system-reset");
    await this.#reset(false, "host-qmp-system-reset");
  }

  async systemPowerdown(): Promise<void> {
    if (this.#hasEnded) return;
    this.#emit("POWERDOWN");
    this.#isPoweringDown = true;
    if (this.runState === "running") await this.#powerOff();
  }

  /** Resolves when the guest is gone. */
  async quit(reason: ShutdownReason): Promise<void> {
    if (this.#hasEnded) return;
    this.#emit("SHUTDOWN", { guest: reason.startsWith("guest-"), reason });
    await this.#finish(0);
  }

  /** Gives everything back without a word: for a start that failed. */
  async abandon(): Promise<void> {
    if (!this.#hasEnded) await this.#finish(1);
  }

  /** What set-action changes. */
  setActions(actions: Partial<GuestActions>): void {
    this.#actions = { ...this.#actions, ...actions };
  }

  /** All zero where -uuid gave none. */
  get uuid(): string {
    return this.options.uuid ?? "00000000-0000-0000-0000-000000000000";
  }

  get #isEmpty(): boolean {
    return this.machine.options.type.isEmpty === true;
  }

  async #reset(isGuest: boolean, reason: string): Promise<void> {
    if (this.#hasEnded) return;
    this.#isPoweringDown = false;
    const device = this.vfioAp;
    const errno = this.#isEmpty ? undefined : await this.options.port.reset();
    if (errno !== undefined) {
      const name = vfioName(String(device?.options.get("sysfsdev") ?? ""));
      this.#report(`vfio_ap_reset: failed to reset ${name} device: ${errnoText(errno) ?? errno}`);
    }
    this.#emit("RESET", { guest: isGuest, reason });
    this.#run.wasReset();
  }

  /** The guest's Linux sees the power button and obeys. */
  async #powerOff(): Promise<void> {
    this.#isPoweringDown = false;
    if (this.#isEmpty) return;
    const outcome = await this.options.port.powerOff();
    if (outcome === "off" && this.runState === "running") await this.#guestStopped("shutdown");
  }

  async #guestStopped(reason: "shutdown" | "reset" | "panic"): Promise<void> {
    if (this.runState !== "running") return;
    // Without a shutdown there is nothing to tell but that it stands: qemu_system_guest_panicked.
    if (reason === "panic" && this.#actions.shutdown === "pause") return this.#run.standAs("guest-panicked");
    if (reason !== "reset") return this.#shutDown(true, `guest-${reason}`);
    if (this.#actions.reboot === "shutdown") return this.#shutDown(true, "guest-reset");
    await this.#reset(true, "guest-reset");
  }

  /** A shutdown that -no-shutdown turns into a stop. */
  async #shutDown(isGuest: boolean, reason: string): Promise<void> {
    if (this.#hasEnded) return;
    this.#emit("SHUTDOWN", { guest: isGuest, reason });
    if (this.#actions.shutdown === "poweroff") return this.#finish(0);
    await this.#run.standAs("shutdown");
  }

  async #giveDeviceBack(): Promise<void> {
    const device = this.vfioAp;
    if (!device || this.#hasEnded) return;
    try {
      await this.#devices.unplug(device);
    } catch (error) {
      const name = vfioName(String(device.options.get("sysfsdev") ?? ""));
      this.#report(`warning: vfio ${name}: ${(error as Error).message}`);
    }
  }

  /** Nothing of the guest is left to be given back. */
  #hostEnded(): void {
    if (this.#hasEnded) return;
    this.#report("the host has ended, and this guest with it");
    this.#emit("SHUTDOWN", { guest: false, reason: "host-error" });
    this.#close(1);
  }

  async #stockEnded(how: string): Promise<void> {
    if (this.#hasEnded) return;
    this.#report(`the QEMU that runs this guest ended: ${how}`);
    this.#emit("SHUTDOWN", { guest: false, reason: "host-error" });
    await this.#finish(1);
  }

  async #finish(status: number): Promise<void> {
    this.#hasEnded = true;
    try {
      if (!this.#isEmpty) await this.options.port.destroy();
    } finally {
      this.#close(status);
    }
  }

  #close(status: number): void {
    this.#hasEnded = true;
    this.#run.end();
    this.#end(status);
  }

  /** What the port tells comes when its turn is; what goes wrong then can only be told. */
  #later(act: () => Promise<void>): void {
    this.exclusively(act).catch((error: unknown) => this.#report(`error: ${(error as Error).message}`));
  }

  #emit(event: string, data?: Readonly<Record<string, unknown>>): void {
    for (const listener of [...this.#listeners]) listener(data === undefined ? { event } : { event, data });
  }

  #report(line: string): void {
    this.options.report?.(line);
  }
}
