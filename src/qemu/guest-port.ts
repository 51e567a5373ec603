import type { Readable, Writable } from "node:stream";
import type { ErrnoName } from "../sysfs/errno.ts";

/**
 * What an emulator needs of the host that it runs on: to QEMU this is KVM and VFIO. A host of Adjunct implements it, in its own process for
 * the guests of its configuration, over its control socket for a front that somebody started.
 */
export interface GuestPort {
  readonly offer: HostOffer;
  /** Makes the virtual machine; it does not run yet. `name-taken`: another guest of this host has the name; `name-unusable`: none may have it. */
  create(guest: GuestDescription): Promise<"created" | "name-taken" | "name-unusable">;
  /** Lets the guest's processors run; the first time its Linux boots. */
  run(): Promise<void>;
  /** Stops its processors: nothing in the guest happens until `run`. */
  pause(): Promise<void>;
  /** The power button. `off`: its Linux shut down, `run` boots another one; `asked`: it heard of it, and `guestStopped` will tell. */
  powerOff(): Promise<"off" | "asked">;
  /** A subsystem reset: every queue of its vfio-ap device is reset, its Linux boots anew. The errno of VFIO_DEVICE_RESET if that failed. */
  reset(): Promise<ErrnoName | undefined>;
  /** Opens a mediated device by the path of its folder, and connects its events. */
  plug(sysfsdev: string): Promise<PlugOutcome>;
  /** Closes the mediated device. */
  unplug(): Promise<void>;
  /** The guest is gone afterwards; closes its mediated device. */
  destroy(): Promise<void>;
  /** VFIO migration of the device that is plugged, where `plug` said that it can. */
  readonly device: MigratingDevice;
  /** The move of processors and memory. */
  readonly machine: MigratingMachine;
  /** One listener. */
  listen(listener: GuestListener): void;
}

/** Source: Linux include/uapi/linux/vfio.h, enum vfio_device_mig_state. */
export const deviceStates = ["error", "stop", "running", "stop-copy", "resuming"] as const;
export type DeviceState = (typeof deviceStates)[number];

/** VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE and the data file that it gives. Errnos are the driver's. */
export interface MigratingDevice {
  /** Undefined: done; by way of the states between, as the kernel's VFIO core goes. */
  setState(state: DeviceState): Promise<ErrnoName | undefined>;
  /** In `stop-copy`: the next bytes of the device's data, `maxBytes` at most; none at its end. */
  read(maxBytes: number): Promise<Uint8Array | ErrnoName>;
  /** In `resuming`: all the bytes are taken, or none. */
  write(bytes: Uint8Array): Promise<ErrnoName | undefined>;
}

/** What moves everything of a guest but its vfio-ap device. */
export interface MigratingMachine {
  /** Sends what may travel while the guest runs; resolves when it should stand for the rest. QemuError: it stays here. */
  send(channel: Writable): Promise<OutgoingMachine>;
  /** Takes what another port's machine sent, to the channel's end; then the guest is whole and stands, and `run` lets it go on. QemuError. */
  receive(channel: Readable): Promise<void>;
  /** As `ram` of query-migrate; undefined where no memory moves. */
  progress(): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** A guest on its way, which stands. */
export interface OutgoingMachine {
  /** Sends the rest and ends the channel; resolves when all of it is written. QemuError. */
  complete(): Promise<void>;
  /** It stays here after all, also after `complete`: `run` lets it go on. */
  cancel(): Promise<void>;
}

/** The facilities that KVM offers for a guest on this host. */
export interface HostOffer {
  readonly ap: boolean;
  readonly apqci: boolean;
  readonly apft: boolean;
  readonly apqi: boolean;
  /** The machine's model, z13 to z17, which a guest's host model follows; z16 where it is absent. */
  readonly machine?: string;
}

export interface GuestDescription {
  readonly name: string;
  /** CPU model features as they are in force. */
  readonly features: Omit<HostOffer, "machine">;
  /** `real`: its processors are elsewhere and only ask for what an AP instruction does; `model`, if absent: a Linux of the host's own. */
  readonly kind?: "model" | "real";
  /** It comes from another host: nothing boots, `machine.receive` brings it. */
  readonly isIncoming?: boolean;
}

/** A guest whose processors and devices, all but AP, are those of a stock QEMU beside this front. */
export interface StockGuestPort extends GuestPort {
  readonly stock: StockMonitor;
}

/** The QMP monitor of a stock QEMU. */
export interface StockMonitor {
  /** What it returns. QemuError with its words. */
  execute(command: string, values: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Hears of its events; one listener. */
  onEvent(listener: (event: { readonly event: string; readonly data?: Readonly<Record<string, unknown>> }) => void): void;
}

/** What a stock QEMU is to be started with. */
export interface StockMachine {
  readonly words: readonly string[];
  readonly memoryBytes: number;
}

/** How far opening a mediated device came, in the order that QEMU goes. */
export type PlugOutcome =
  | {
      readonly isPlugged: true;
      /** How many interrupt indices the device has: 2 from kernel 6.15 on, 1 before. */
      readonly irqs: number;
      /** VFIO_DEVICE_FEATURE_MIGRATION is there. */
      readonly isMigratable?: boolean;
    }
  /** `path`: stat(sysfsdev). `group-link`: readlink(sysfsdev/iommu_group). `group-open`: open(/dev/vfio/GROUP). `device`: VFIO_GROUP_GET_DEVICE_FD. */
  | { readonly isPlugged: false; readonly step: "path" | "group-link"; readonly errno: ErrnoName }
  | { readonly isPlugged: false; readonly step: "group-open" | "device"; readonly errno: ErrnoName; readonly group: number };

export interface GuestListener {
  /** The host wants the mediated device back: somebody writes its `remove`. */
  deviceRequested(): void;
  /** The guest's own Linux powered off, rebooted or panicked. */
  guestStopped(reason: "shutdown" | "reset" | "panic"): void;
  /** The host is gone, and the guest with it. */
  hostEnded(): void;
  /** Its stock QEMU ended by itself; the text says how. */
  stockEnded?(how: string): void;
}
