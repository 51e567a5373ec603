import { apqn } from "../../ap/apqn.ts";
import { Mask } from "../../ap/mask.ts";
import type { ApMasks } from "../../kvm/crycb.ts";
import type { MatrixMdev } from "./matrix-mdev.ts";

/**
 * From what is assigned to what a guest may have: only what the host has, and only adapters all of whose queues are bound to
 * vfio_ap. Whole adapters are left out, never domains. Source: Linux vfio_ap_ops.c, vfio_ap_mdev_filter_matrix.
 */
export interface Filtered {
  readonly hasChanged: boolean;
  /** Adapters that a guest had until now. */
  readonly lostAdapters: Mask;
}

export function filterMatrix(mdev: MatrixMdev, host: ApMasks): Filtered {
  const before = mdev.guestMatrix;
  const usageDomains = mdev.matrix.usageDomains.and(host.usageDomains);
  const candidates = mdev.matrix.adapters.and(host.adapters);
  const passing: number[] = [];
  const lost: number[] = [];
  const domains = [...usageDomains];
  for (const adapter of candidates) {
    if (domains.every((domain) => mdev.linked.get(apqn(adapter, domain))?.isPassable)) passing.push(adapter);
    else if (before.adapters.has(adapter)) lost.push(adapter);
  }
  const adapters = Mask.from(passing);
  mdev.guestMatrix = { ...before, adapters, usageDomains };
  return {
    hasChanged: !adapters.equals(before.adapters) || !usageDomains.equals(before.usageDomains),
    lostAdapters: Mask.from(lost),
  };
}

/** The control domains that a guest may change; whether they are others than before. */
export function filterControlDomains(mdev: MatrixMdev, host: ApMasks): boolean {
  const before = mdev.guestMatrix.controlDomains;
  const controlDomains = mdev.matrix.controlDomains.and(host.controlDomains);
  mdev.guestMatrix = { ...mdev.guestMatrix, controlDomains };
  return !controlDomains.equals(before);
}
