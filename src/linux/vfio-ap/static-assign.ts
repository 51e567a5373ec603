import type { Mask } from "../../ap/mask.ts";
import { fail } from "../../sysfs/errno.ts";
import type { UsageDimension } from "./assign.ts";
import { type MatrixMdev, withMask } from "./matrix-mdev.ts";
import { reportSharing } from "./sharing.ts";
import type { VfioAp } from "./vfio-ap.ts";

/**
 * Changes of a matrix as the first generations made them: none while a guest runs, and only queues that are bound to vfio_ap.
 * Source: Linux v4.20 drivers/s390/crypto/vfio_ap_ops.c.
 */
export function refuseWhileRunning(mdev: MatrixMdev): void {
  if (mdev.user) fail("EBUSY");
}

/** EADDRNOTAVAIL: a queue is not bound; EADDRINUSE: another mediated device has one. */
export function assignStatically(driver: VfioAp, mdev: MatrixMdev, which: UsageDimension, id: number): void {
  const other = which === "adapters" ? "usageDomains" : "adapters";
  if (!isReserved(driver, which, id, mdev.matrix[other])) fail("EADDRNOTAVAIL");
  const matrix = withMask(mdev.matrix, which, mdev.matrix[which].with(id));
  if (reportSharing(driver, mdev, matrix.adapters, matrix.usageDomains)) fail("EADDRINUSE");
  mdev.matrix = matrix;
  for (const queue of driver.queues.values()) if (mdev.has(queue.adapter, queue.domain)) driver.link(mdev, queue);
  mdev.matrixChanged();
}

export function unassignStatically(driver: VfioAp, mdev: MatrixMdev, which: UsageDimension, id: number): void {
  mdev.matrix = withMask(mdev.matrix, which, mdev.matrix[which].without(id));
  for (const queue of mdev.linked.inTableOrder()) if (!mdev.has(queue.adapter, queue.domain)) driver.unlink(mdev, queue);
  mdev.matrixChanged();
}

/** Every queue with the other dimension is bound; where that is empty, at least one queue of this number. */
function isReserved(driver: VfioAp, which: UsageDimension, id: number, others: Mask): boolean {
  if (others.isEmpty) return [...driver.queues.values()].some((queue) => (which === "adapters" ? queue.adapter : queue.domain) === id);
  return [...others].every((other) => driver.queues.has(which === "adapters" ? (id << 8) | other : (other << 8) | id));
}
