import { fail } from "../../../sysfs/errno.ts";
import type { Job } from "../../time/work-queue.ts";
import type { MatrixMdev } from "../matrix-mdev.ts";
import type { VfioAp } from "../vfio-ap.ts";
import { encodeConfiguration, queuesOf } from "./configuration-data.ts";
import { queueWords } from "./queue-words.ts";

/**
 * The file that a migrating device is read from: a stream, without positions of the reader's own. Source: vfio_ap_migration.c of the
 * migration series of 2026, vfio_ap_stop_copy_read.
 */
export class SourceFile {
  #position = 0;

  constructor(
    private readonly driver: VfioAp,
    private readonly mdev: MatrixMdev,
  ) {}

  /** `maxBytes` at most, none at the end. ENODEV: the device was closed, or a queue is not there; EINVAL: the file is of an older session; EIO: a queue does not say what it is. */
  *read(maxBytes: number): Job<Uint8Array> {
    const file = this;
    const { driver, mdev } = this;
    return yield* driver.lock.hold(function* () {
      const migration = mdev.migration ?? fail("ENODEV");
      if (!migration.isCurrent(file)) fail("EINVAL");
      // Kept until the device is reset or closed: another session sends the same, as the draft does.
      migration.snapshot ??= takeSnapshot(driver, mdev);
      const bytes = migration.snapshot.slice(file.#position, file.#position + maxBytes);
      file.#position += bytes.length;
      return bytes;
    });
  }
}

function takeSnapshot(driver: VfioAp, mdev: MatrixMdev): Uint8Array {
  const queues = [...queuesOf(mdev.guestMatrix)].map((queue) => queueWords(driver, mdev, queue));
  return encodeConfiguration({ controlDomains: mdev.guestMatrix.controlDomains, queues });
}
