import { apqn } from "../../ap/apqn.ts";
import { Mask } from "../../ap/mask.ts";
import type { ApMasks } from "../../kvm/crycb.ts";
import { fail } from "../../sysfs/errno.ts";
import { isOwnedByHost } from "../bus/host-owned.ts";
import type { Job } from "../time/work-queue.ts";
import { filterControlDomains, filterMatrix } from "./filter.ts";
import { inTableOrder } from "./linked-queues.ts";
import { type MatrixMdev, masksWithout, withMask } from "./matrix-mdev.ts";
import { resetQueues } from "./reset.ts";
import { reportSharing } from "./sharing.ts";
import type { VfioAp } from "./vfio-ap.ts";
import type { VfioApQueue } from "./vfio-ap-queue.ts";

/**
 * Changes of a matrix in the generations that allow them under a running guest.
 * Source: Linux vfio_ap_ops.c, assign_adapter_store to ap_config_store.
 */
export type UsageDimension = "adapters" | "usageDomains";

/** EADDRNOTAVAIL: the host's drivers own a queue of the matrix; EADDRINUSE: another mediated device has one. */
function validate(driver: VfioAp, mdev: MatrixMdev, { adapters, usageDomains }: ApMasks): void {
  if (isOwnedByHost(driver.bus, adapters, usageDomains)) fail("EADDRNOTAVAIL");
  if (reportSharing(driver, mdev, adapters, usageDomains)) fail("EADDRINUSE");
}

/** EADDRNOTAVAIL, EADDRINUSE. Assigning what is assigned does nothing. */
export function* assign(driver: VfioAp, mdev: MatrixMdev, which: UsageDimension, id: number): Job<void> {
  if (mdev.matrix[which].has(id)) return;
  const matrix = withMask(mdev.matrix, which, mdev.matrix[which].with(id));
  validate(driver, mdev, matrix);
  mdev.matrix = matrix;
  linkAll(driver, mdev, which, Mask.of(id));
  mdev.matrixChanged();
  yield* driver.refilter(mdev);
}

export function* unassign(driver: VfioAp, mdev: MatrixMdev, which: UsageDimension, id: number): Job<void> {
  if (!mdev.matrix[which].has(id)) return;
  yield* unplug(driver, mdev, which, Mask.of(id), withMask(mdev.matrix, which, mdev.matrix[which].without(id)));
  mdev.matrixChanged();
}

export function* assignControlDomain(driver: VfioAp, mdev: MatrixMdev, id: number): Job<void> {
  if (mdev.matrix.controlDomains.has(id)) return;
  mdev.matrix = withMask(mdev.matrix, "controlDomains", mdev.matrix.controlDomains.with(id));
  mdev.matrixChanged();
  if (filterControlDomains(mdev, driver.host)) mdev.pushToGuest();
}

export function* unassignControlDomain(_driver: VfioAp, mdev: MatrixMdev, id: number): Job<void> {
  if (!mdev.matrix.controlDomains.has(id)) return;
  mdev.matrix = withMask(mdev.matrix, "controlDomains", mdev.matrix.controlDomains.without(id));
  mdev.matrixChanged();
  if (!mdev.guestMatrix.controlDomains.has(id)) return;
  mdev.guestMatrix = withMask(mdev.guestMatrix, "controlDomains", mdev.guestMatrix.controlDomains.without(id));
  mdev.pushToGuest();
}

/** Replaces the whole matrix. EADDRNOTAVAIL, EADDRINUSE, and ENODEV last. On an error the device is as before. */
export function* configure(driver: VfioAp, mdev: MatrixMdev, wanted: ApMasks): Job<void> {
  validate(driver, mdev, wanted);
  if (isBeyond(wanted.adapters, mdev.limits.adapter) || isBeyond(wanted.usageDomains, mdev.limits.domain)) fail("ENODEV");
  if (isBeyond(wanted.controlDomains, mdev.limits.domain)) fail("ENODEV");
  const removed = masksWithout(mdev.matrix, wanted);
  const added = masksWithout(wanted, mdev.matrix);
  const before = mdev.matrix;
  yield* unplug(driver, mdev, "adapters", removed.adapters, before);
  yield* unplug(driver, mdev, "usageDomains", removed.usageDomains, before);
  mdev.matrix = wanted;
  linkAll(driver, mdev, "adapters", added.adapters);
  linkAll(driver, mdev, "usageDomains", added.usageDomains);
  mdev.matrixChanged();
  const { hasChanged, lostAdapters } = filterMatrix(mdev, driver.host);
  const hasOtherControlDomains = filterControlDomains(mdev, driver.host);
  if (!hasChanged && !hasOtherControlDomains) return;
  mdev.pushToGuest();
  yield* driver.resetAdapters(mdev, lostAdapters);
}

const isBeyond = (mask: Mask, limit: number): boolean => !mask.andNot(Mask.range(0, limit)).isEmpty;

function linkAll(driver: VfioAp, mdev: MatrixMdev, which: UsageDimension, ids: Mask): void {
  for (const id of ids) {
    for (const queue of crossing(mdev.matrix, which, id)) driver.link(mdev, driver.queues.get(queue));
  }
}

/** The queues of one adapter and all domains, or of one domain and all adapters. */
function* crossing(matrix: ApMasks, which: UsageDimension, id: number): Generator<number> {
  if (which === "adapters") for (const domain of matrix.usageDomains) yield apqn(id, domain);
  else for (const adapter of matrix.adapters) yield apqn(adapter, id);
}

/** Takes adapters or domains out of a guest's matrix, gives the mdev its new matrix, and resets the queues that the guest had. */
function* unplug(driver: VfioAp, mdev: MatrixMdev, which: UsageDimension, ids: Mask, after: ApMasks): Job<void> {
  const lost: VfioApQueue[] = [];
  const unlinked: VfioApQueue[] = [];
  for (const id of ids) {
    for (const number of crossing(mdev.matrix, which, id)) {
      const queue = mdev.linked.get(number);
      if (!queue) continue;
      mdev.linked.delete(queue);
      unlinked.push(queue);
      if (mdev.guestHas(queue.adapter, queue.domain)) lost.push(queue);
    }
  }
  mdev.matrix = after;
  if (mdev.guestMatrix[which].intersects(ids)) {
    mdev.guestMatrix = withMask(mdev.guestMatrix, which, mdev.guestMatrix[which].andNot(ids));
    mdev.pushToGuest();
  }
  yield* resetQueues(driver.generation.resetsInOrder ? lost : inTableOrder(lost));
  for (const queue of unlinked) driver.unlink(mdev, queue);
}
