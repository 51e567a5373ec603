import type { Mask } from "../../ap/mask.ts";
import type { ApMasks } from "../../kvm/crycb.ts";
import { noMasks } from "../../kvm/crycb.ts";
import type { VirtualMachine } from "../../kvm/virtual-machine.ts";
import type { Mdev } from "../mdev/mdev-core.ts";
import { LinkedQueues } from "./linked-queues.ts";
import type { DeviceMigration } from "./migration/device-migration.ts";

/** Who opened a mediated device, and how it is told things: the two event files of VFIO. */
export interface DeviceUser {
  readonly vm: VirtualMachine;
  /** The device is wanted back. */
  readonly onRequest?: (count: number) => void;
  /** What the guest may use changed. */
  readonly onConfigurationChange?: () => void;
}

/** The greatest numbers that a matrix takes; from the host's configuration when the device was made. */
export interface MatrixLimits {
  readonly adapter: number;
  readonly domain: number;
}

/** The matrix of one mediated device. Source: Linux drivers/s390/crypto/vfio_ap_private.h, struct ap_matrix_mdev. */
export class MatrixMdev {
  /** What the administrator assigned. */
  matrix: ApMasks = noMasks;
  /** What a guest has or would have. */
  guestMatrix: ApMasks = noMasks;
  readonly linked = new LinkedQueues();
  user: DeviceUser | undefined;
  /** While it is open, where the kernel can migrate it. */
  migration: DeviceMigration | undefined;
  /** Assigned adapters and domains that a scan under way brings to the host. */
  arriving: ApMasks = noMasks;

  constructor(
    readonly mdev: Mdev,
    readonly limits: MatrixLimits,
  ) {}

  get uuid(): string {
    return this.mdev.uuid;
  }

  has(adapter: number, domain: number): boolean {
    return this.matrix.adapters.has(adapter) && this.matrix.usageDomains.has(domain);
  }

  guestHas(adapter: number, domain: number): boolean {
    return this.guestMatrix.adapters.has(adapter) && this.guestMatrix.usageDomains.has(domain);
  }

  get isArriving(): boolean {
    return !this.arriving.adapters.isEmpty || !this.arriving.usageDomains.isEmpty;
  }

  /** Writes the guest's masks into its control block and tells it, if there is a guest. */
  pushToGuest(): void {
    this.changed("guest_matrix");
    if (!this.user) return;
    this.user.vm.setMasks(this.guestMatrix);
    this.user.onConfigurationChange?.();
  }

  changed(...attributes: string[]): void {
    for (const attribute of attributes) this.mdev.changed(attribute);
  }

  matrixChanged(): void {
    this.changed("matrix", "guest_matrix", "control_domains", "ap_config");
  }
}

export const withMask = (masks: ApMasks, which: keyof ApMasks, mask: Mask): ApMasks => ({ ...masks, [which]: mask });

export const masksEqual = (left: ApMasks, right: ApMasks): boolean =>
  left.adapters.equals(right.adapters) && left.usageDomains.equals(right.usageDomains) && left.controlDomains.equals(right.controlDomains);

/** What is in `left` and not in `right`. */
export const masksWithout = (left: ApMasks, right: ApMasks): ApMasks => ({
  adapters: left.adapters.andNot(right.adapters),
  usageDomains: left.usageDomains.andNot(right.usageDomains),
  controlDomains: left.controlDomains.andNot(right.controlDomains),
});

export const masksWithin = (left: ApMasks, right: ApMasks): ApMasks => ({
  adapters: left.adapters.and(right.adapters),
  usageDomains: left.usageDomains.and(right.usageDomains),
  controlDomains: left.controlDomains.and(right.controlDomains),
});
