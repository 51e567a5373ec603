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
  /** One listener. */
  listen(listener: GuestListener): void;
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
  | { readonly isPlugged: true /** How many interrupt indices the device has: 2 from kernel 6.15 on, 1 before. */; readonly irqs: number }
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
