import { apqn } from "../../ap/apqn.ts";
import type { Mask } from "../../ap/mask.ts";
import type { QciBlock } from "../../ap/qci.ts";
import { decodeQueueInfo } from "../../ap/queue-info.ts";
import { ResponseCode } from "../../ap/status.ts";
import { noMasks } from "../../kvm/crycb.ts";
import type { Job } from "../time/work-queue.ts";
import { filterControlDomains, filterMatrix } from "./filter.ts";
import { masksEqual, masksWithin, masksWithout } from "./matrix-mdev.ts";
import type { VfioAp } from "./vfio-ap.ts";

/**
 * A scan found another host configuration. What went is taken from guests at once; what came reaches them when the scan
 * has made and bound its queues. Matrices keep what was assigned. Source: Linux vfio_ap_ops.c, vfio_ap_on_cfg_changed and on.
 */
const oldestType = 10;

export function* beginConfigurationChange(driver: VfioAp, now: QciBlock, before: QciBlock): Job<void> {
  const removed = masksWithout(before, now);
  const added = masksWithout(now, before);
  const arriving = { ...added, adapters: added.adapters.andNot(unfitAdapters(driver, added.adapters, added.usageDomains)) };
  for (const mdev of driver.matrixMdevs) {
    if (!driver.generation.isDynamic) continue;
    const left = masksWithout(mdev.guestMatrix, removed);
    if (!masksEqual(left, mdev.guestMatrix)) {
      mdev.guestMatrix = left;
      mdev.pushToGuest();
    }
    mdev.arriving = masksWithin(mdev.matrix, arriving);
  }
  driver.host = now;
}

export function* completeConfigurationChange(driver: VfioAp): Job<void> {
  for (const mdev of driver.matrixMdevs) {
    const { isArriving } = mdev;
    const hasControlDomains = !mdev.arriving.controlDomains.isEmpty;
    mdev.arriving = noMasks;
    const filtered = isArriving ? filterMatrix(mdev, driver.host) : undefined;
    const hasOtherControlDomains = hasControlDomains && filterControlDomains(mdev, driver.host);
    if (filtered?.hasChanged || hasOtherControlDomains) mdev.pushToGuest();
    if (filtered) yield* driver.resetAdapters(mdev, filtered.lostAdapters);
  }
}

/** New adapters one of whose queues in the new domains is too old for vfio_ap or does not say what it is. */
function unfitAdapters(driver: VfioAp, adapters: Mask, domains: Mask): Mask {
  let unfit = adapters;
  for (const adapter of adapters) {
    const isFit = [...domains].every((domain) => {
      const { responseCode, high, low } = driver.bus.instructions.tapq(apqn(adapter, domain));
      const tells =
        responseCode === ResponseCode.normal ||
        responseCode === ResponseCode.resetInProgress ||
        responseCode === ResponseCode.deconfigured ||
        responseCode === ResponseCode.checkstopped ||
        responseCode === ResponseCode.busy;
      return tells && decodeQueueInfo(high, low).type >= oldestType;
    });
    if (isFit) unfit = unfit.without(adapter);
  }
  return unfit;
}
