import { Mask } from "../../ap/mask.ts";
import { type AttributeTable, attributeTable, readOnly } from "../../sysfs/attribute.ts";
import type { ApQueue } from "../bus/ap-queue.ts";
import type { Job } from "../time/work-queue.ts";
import { withMask } from "./matrix-mdev.ts";
import { resetQueues } from "./reset.ts";
import type { VfioAp } from "./vfio-ap.ts";
import { VfioApQueue } from "./vfio-ap-queue.ts";

/**
 * A queue comes to vfio_ap or leaves it: the mediated device whose matrix names it gains or loses the adapter.
 * Source: Linux vfio_ap_ops.c, vfio_ap_mdev_probe_queue and vfio_ap_mdev_remove_queue.
 */
export function* bindQueue(driver: VfioAp, device: ApQueue): Job<void> {
  yield* driver.lock.hold(function* () {
    const queue = new VfioApQueue(device);
    if (driver.generation.hasQueueStatus) device.directory.attach(queueStatus, { driver, device });
    driver.queues.set(queue.apqn, queue);
    const matrixMdev = driver.matrixMdevs.find((candidate) => candidate.has(queue.adapter, queue.domain));
    if (!matrixMdev) return;
    driver.link(matrixMdev, queue);
    if (driver.generation.isDynamic && !matrixMdev.isArriving) yield* driver.refilter(matrixMdev);
  });
}

/** A guest that has the queue loses the whole adapter. Never refuses. */
export function* releaseQueue(driver: VfioAp, device: ApQueue): Job<void> {
  const queue = driver.queues.get(device.apqn);
  if (!queue) return;
  yield* driver.lock.hold(function* () {
    device.directory.detach(queueStatus);
    const { matrixMdev, adapter, domain } = queue;
    const leavesGuest = matrixMdev !== undefined && driver.generation.isDynamic && matrixMdev.guestHas(adapter, domain);
    if (leavesGuest) {
      matrixMdev.guestMatrix = withMask(matrixMdev.guestMatrix, "adapters", matrixMdev.guestMatrix.adapters.without(adapter));
      matrixMdev.pushToGuest();
    }
    if (leavesGuest && driver.generation.resetsFilteredAdapters) yield* driver.resetAdapters(matrixMdev, Mask.of(adapter));
    else if (driver.host.adapters.has(adapter) && driver.host.usageDomains.has(domain)) yield* resetQueues([queue]);
    if (matrixMdev) driver.unlink(matrixMdev, queue);
    driver.queues.delete(queue.apqn);
  });
}

interface StatusOwner {
  readonly driver: VfioAp;
  readonly device: ApQueue;
}

const queueStatus: AttributeTable<StatusOwner> = attributeTable<StatusOwner>(
  readOnly("status", ({ driver, device }) => driver.statusText(device)),
);
