import { errnoText } from "../sysfs/errno-text.ts";
import { namedCpuModel } from "./cpu/cpu-model.ts";
import type { DeviceOptions } from "./devices/device-checks.ts";
import { MachineDevices } from "./devices/machine-devices.ts";
import type { MigrationBlocker } from "./devices/vfio-ap-migration.ts";
import { vfioName } from "./devices/vfio-name.ts";
import type { GuestPort, StockMonitor } from "./guest-port.ts";
import type { MigrationSurroundings } from "./migration/migration-surroundings.ts";
import { Machine, type MachineOptions } from "./objects/machine.ts";
import { defaultMachineType } from "./objects/machine-types.ts";
import type { QomDevice, QomObject } from "./objects/qom-object.ts";
import { QemuError } from "./qemu-error.ts";

export type { DeviceOptions } from "./devices/device-checks.ts";

/** As query-status has it. */
export type RunState =
  | "debug"
  | "inmigrate"
  | "internal-error"
  | "io-error"
  | "paused"
  | "postmigrate"
  | "prelaunch"
  | "finish-migrate"
  | "restore-vm"
  | "running"
  | "save-vm"
  | "shutdown"
  | "suspended"
  | "watchdog"
  | "guest-panicked"
  | "colo";

/** An event as QMP sends it, without its timestamp. */
export interface EmulatorEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What ends an emulator, and how: events and exit status follow from it. */
export type ShutdownReason = "host-qmp-quit" | "host-signal" | "host-ui" | "guest-shutdown" | "guest-reset" | "host-error";

/** As of a machine without -m. */
export const defaultMemoryBytes = 128 * 2 ** 20;

/** What -action, -no-shutdown and -no-reboot choose. */
export interface GuestActions {
  readonly shutdown: "poweroff" | "pause";
  readonly reboot: "reset" | "shutdown";
}

export interface EmulatorOptions {
  readonly name: string;
  readonly port: GuestPort;
  /** Wall clock time in milliseconds, for timestamps of events. */
  readonly nowMs: () => number;
  /** The newest machine with the host's processor where it is absent. */
  readonly machine?: MachineOptions;
  readonly actions?: GuestActions;
  readonly accelerator?: "kvm" | "tcg";
  /** -only-migratable: refuses what cannot be migrated. */
  readonly isMigratableOnly?: boolean;
  /** The sockets and the time of its migrations; those of this process where it is absent. */
  readonly migration?: MigrationSurroundings;
  /** -incoming: its guest comes from elsewhere. */
  readonly isIncoming?: boolean;
  readonly uuid?: string;
  /** A message that QEMU writes to stderr, without its name; a second line is a hint. */
  readonly report?: (line: string) => void;
  /** The stock QEMU that runs the guest: monitors ask it what they do not know themselves. Absent for a model guest. */
  readonly stock?: StockMonitor;
  /** What QEMU would not say: which option or device a model guest ignores. For the guest's log alone. */
  readonly note?: (line: string) => void;
}

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
  #runState: RunState = "prelaunch";
  /** -incoming without -S: the guest runs when it has come. */
  #runsOnArrival = false;
  #isReady = false;
  #hasEnded = false;
  #isPoweringDown = false;
  #end!: (status: number) => void;
  #actions: GuestActions;
  readonly #devices: MachineDevices;
  readonly #listeners = new Set<(event: EmulatorEvent) => void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly options: EmulatorOptions) {
    if (options.isIncoming) this.#runState = "inmigrate";
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
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    options.stock?.onEvent(({ event, data }) => this.#takeStockEvent(event, data));
  }

  get runState(): RunState {
    return this.#runState;
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
    const { name, port } = this.options;
    const { cpu, type } = this.machine.options;
    port.listen({
      deviceRequested: () => this.#later(() => this.#giveDeviceBack()),
      guestStopped: (reason) => this.#later(() => this.#guestStopped(reason)),
      hostEnded: () => this.#hostEnded(),
      stockEnded: (how) => this.#later(() => this.#stockEnded(how)),
    });
    if (type.isEmpty) return;
    const has = (feature: string): boolean => cpu?.features.has(feature) ?? false;
    const features = { ap: has("ap"), apqci: has("apqci"), apft: has("apft"), apqi: has("apqi") };
    const { stock, isIncoming } = this.options;
    const outcome = await port.create({ name, features, ...(stock && { kind: "real" as const }), ...(isIncoming && { isIncoming }) });
    if (outcome === "name-unusable") {
      const rule = "Letters, digits, blanks and _ . + - are, 64 of them at most, the first one no blank and no dot.";
      throw new QemuError(`guest name '${name}' cannot be that of a guest of this host`, "GenericError", rule);
    }
    if (outcome === "name-taken") {
      throw new QemuError(`guest name '${name}' is taken by another guest of this host`, "GenericError", "Choose another one with -name.");
    }
  }

  /** The machine is complete: it runs, unless -S was given or its guest is still to come. */
  async begin({ isPaused }: { readonly isPaused: boolean }): Promise<void> {
    this.#isReady = true;
    if (this.#runState === "inmigrate") {
      this.#runsOnArrival = !isPaused;
      return;
    }
    if (!isPaused) await this.cont();
  }

  /** device_add and -device; `place` is where it stands on the command line. QemuError. */
  async addDevice(options: DeviceOptions, place?: string): Promise<void> {
    await this.#devices.add(options, { isHotplug: this.#isReady, place });
  }

  /** device_del: by id or by path of the object. QemuError. */
  async deleteDevice(idOrPath: string): Promise<void> {
    await this.#devices.remove(idOrPath);
  }

  async stop(): Promise<void> {
    if (this.#runState === "inmigrate") this.#runsOnArrival = false;
    if (this.#runState === "running") await this.#stand("paused");
  }

  /** QemuError where only a reset helps. */
  async cont(): Promise<void> {
    if (this.#runState === "shutdown" || this.#runState === "internal-error") {
      throw new QemuError("Resetting the Virtual Machine is required");
    }
    if (this.#runState === "running" || this.#hasEnded) return;
    if (this.#runState === "finish-migrate") throw new QemuError("Migration is not finalized yet");
    if (this.#runState === "inmigrate") {
      this.#runsOnArrival = true;
      return;
    }
    // Its device stood still with it, and knows nothing of run and pause.
    if (this.#runState === "postmigrate" && this.vfioAp && !this.migrationBlocker) await this.options.port.device.setState("running");
    await this.#run();
    this.#emit("RESUME");
    if (this.#isPoweringDown) await this.#powerOff();
  }

  /** The guest stands for the rest of its migration. */
  async standForMigration(): Promise<void> {
    if (this.#runState === "running") await this.#stand("finish-migrate");
    else this.#runState = "finish-migrate";
  }

  /** Its migration came to nothing: it is as it was. */
  async goOnAfterMigration(before: RunState): Promise<void> {
    if (this.#runState !== "finish-migrate") return;
    this.#runState = before === "running" ? "paused" : before;
    if (before === "running") await this.cont();
  }

  /** The guest is elsewhere. */
  leave(): void {
    if (this.#runState === "finish-migrate") this.#runState = "postmigrate";
  }

  /** The guest has come: it runs if it did, and if this side lets it. */
  async arrive(before: RunState): Promise<void> {
    this.#runState = before === "running" ? "paused" : before;
    if (before === "running" && this.#runsOnArrival) await this.cont();
  }

  async systemReset(): Promise<void> {
    if (this.#actions.reboot === "shutdown") return this.#shutDown(false, "host-qmp-system-reset");
    await this.#reset(false, "host-qmp-system-reset");
  }

  async systemPowerdown(): Promise<void> {
    if (this.#hasEnded) return;
    this.#emit("POWERDOWN");
    this.#isPoweringDown = true;
    if (this.#runState === "running") await this.#powerOff();
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

  async #run(): Promise<void> {
    if (!this.#isEmpty) await this.options.port.run();
    this.#runState = "running";
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
    if (!statesThatAResetKeeps.has(this.#runState)) this.#runState = "prelaunch";
  }

  /** The guest's Linux sees the power button and obeys. */
  async #powerOff(): Promise<void> {
    this.#isPoweringDown = false;
    if (this.#isEmpty) return;
    const outcome = await this.options.port.powerOff();
    if (outcome === "off" && this.#runState === "running") await this.#guestStopped("shutdown");
  }

  async #guestStopped(reason: "shutdown" | "reset" | "panic"): Promise<void> {
    if (this.#runState !== "running") return;
    // Without a shutdown there is nothing to tell but that it stands: qemu_system_guest_panicked.
    if (reason === "panic" && this.#actions.shutdown === "pause") return this.#stand("guest-panicked");
    if (reason !== "reset") return this.#shutDown(true, `guest-${reason}`);
    if (this.#actions.reboot === "shutdown") return this.#shutDown(true, "guest-reset");
    await this.#reset(true, "guest-reset");
  }

  /** A shutdown that -no-shutdown turns into a stop. */
  async #shutDown(isGuest: boolean, reason: string): Promise<void> {
    if (this.#hasEnded) return;
    this.#emit("SHUTDOWN", { guest: isGuest, reason });
    if (this.#actions.shutdown === "poweroff") return this.#finish(0);
    if (this.#runState === "running") await this.#stand("shutdown");
    else this.#runState = "shutdown";
  }

  /** Stops what runs. */
  async #stand(state: "paused" | "shutdown" | "guest-panicked" | "finish-migrate"): Promise<void> {
    if (!this.#isEmpty) await this.options.port.pause();
    this.#runState = state;
    this.#emit("STOP");
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
    this.#runState = "shutdown";
    this.#end(status);
  }

  /** What the port tells comes when its turn is; what goes wrong then can only be told. */
  #later(act: () => Promise<void>): void {
    this.exclusively(act).catch((error: unknown) => this.#report(`error: ${(error as Error).message}`));
  }

  #emit(event: string, data?: Readonly<Record<string, unknown>>): void {
    for (const listener of [...this.#listeners]) listener(data === undefined ? { event } : { event, data });
  }

  /** What is the front's own to tell comes as a call of the port's listener; of the rest the guest's devices may be concerned. */
  #takeStockEvent(event: string, data: Readonly<Record<string, unknown>> | undefined): void {
    if (ownEvents.has(event)) return;
    if (event === "DEVICE_DELETED" && typeof data?.device === "string") this.#devices.forget(data.device);
    this.#emit(event, data);
  }

  #report(line: string): void {
    this.options.report?.(line);
  }
}

/** Source: qemu_system_reset and main_loop_should_exit of QEMU 10.2.2's system/runstate.c. */
const statesThatAResetKeeps: ReadonlySet<RunState> = new Set(["running", "inmigrate", "finish-migrate"]);

/** Of a stock QEMU's run state, which a breakpoint changes and a monitor here does not hear of. */
const ownEvents: ReadonlySet<string> = new Set(["STOP", "RESUME", "SHUTDOWN", "RESET", "POWERDOWN"]);

const defaultMachine = ({ offer }: GuestPort): MachineOptions => ({
  type: defaultMachineType,
  cpus: 1,
  maxCpus: 1,
  memoryBytes: defaultMemoryBytes,
  cpu: namedCpuModel("host", offer),
});
