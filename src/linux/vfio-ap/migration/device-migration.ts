import { fail } from "../../../sysfs/errno.ts";
import type { Job } from "../../time/work-queue.ts";
import type { MatrixMdev } from "../matrix-mdev.ts";
import type { VfioAp } from "../vfio-ap.ts";
import { dataBytes } from "./configuration-data.ts";
import { DestinationFile } from "./destination-file.ts";
import { type MigrationState, nextState } from "./migration-state.ts";
import { SourceFile } from "./source-file.ts";

/**
 * The migration of a mediated device, from its open to its close; the driver's lock orders it. A change of state neither resets queues nor
 * drains them: requests on their way are the guest's business. Not imitated: a host that is a guest of Secure Execution itself. Source:
 * vfio_ap_migration.c of the migration series of 2026, struct vfio_ap_migration_data; include/uapi/linux/vfio.h.
 */
export class DeviceMigration {
  #state: MigrationState = "running";
  /** What the source sends, as it was when it was first read. */
  snapshot: Uint8Array | undefined;
  #source: SourceFile | undefined;
  #destination: DestinationFile | undefined;

  constructor(
    private readonly driver: VfioAp,
    private readonly mdev: MatrixMdev,
  ) {}

  get state(): MigrationState {
    return this.#state;
  }

  /** VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: how long the source's data would be if it were taken now. */
  get currentDataBytes(): number {
    const { adapters, usageDomains } = this.mdev.guestMatrix;
    return dataBytes(adapters.size * usageDomains.size);
  }

  isCurrent(file: SourceFile | DestinationFile): boolean {
    return file === this.#source || file === this.#destination;
  }

  /** Goes on to a state by way of those between; with a file where data is to be read or written in it. EINVAL. */
  goTo(wanted: MigrationState): SourceFile | DestinationFile | undefined {
    let file: SourceFile | DestinationFile | undefined;
    while (this.#state !== wanted) file = this.#step(nextState(this.#state, wanted));
    return file;
  }

  /** VFIO_DEVICE_RESET: whatever was under way is over. */
  reset(): void {
    this.#state = "running";
    this.snapshot = undefined;
    this.#source = undefined;
    this.#destination = undefined;
  }

  #step(next: MigrationState): SourceFile | DestinationFile | undefined {
    if (this.#state === "resuming" && !this.#destination?.isTakenOver) {
      // The draft forgets what vfio.h asks for: incomplete data must not become a guest.
      this.#state = "error";
      return fail("EINVAL");
    }
    this.#state = next;
    if (next === "stop-copy") this.#source = new SourceFile(this.driver, this.mdev);
    if (next === "resuming") this.#destination = new DestinationFile(this.driver, this.mdev);
    return next === "stop-copy" ? this.#source : next === "resuming" ? this.#destination : undefined;
  }
}

/**
 * VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE. ENOTTY: the kernel cannot; ENODEV: the device is not open; EINVAL: no way leads there, or data that
 * was to be taken over is not all there.
 */
export function* setDeviceState(driver: VfioAp, mdev: MatrixMdev, wanted: MigrationState): Job<SourceFile | DestinationFile | undefined> {
  if (!driver.generation.isMigratable) fail("ENOTTY");
  return yield* driver.lock.hold(function* () {
    if (mdev.migration) return mdev.migration.goTo(wanted);
    return wanted === "running" ? undefined : fail("ENODEV");
  });
}
