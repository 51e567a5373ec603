import { namedCpuModel } from "./cpu/cpu-model.ts";
import type { GuestPort, StockMonitor } from "./guest-port.ts";
import type { MigrationSurroundings } from "./migration/migration-surroundings.ts";
import type { MachineOptions } from "./objects/machine.ts";
import { defaultMachineType } from "./objects/machine-types.ts";

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

/** The newest one, with the host's processor. */
export const defaultMachine = ({ offer }: GuestPort): MachineOptions => ({
  type: defaultMachineType,
  cpus: 1,
  maxCpus: 1,
  memoryBytes: defaultMemoryBytes,
  cpu: namedCpuModel("host", offer),
});
