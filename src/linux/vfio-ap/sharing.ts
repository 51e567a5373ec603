import { adapterName, domainName } from "../../ap/apqn.ts";
import type { Mask } from "../../ap/mask.ts";
import { Level } from "../kernel-log.ts";
import type { MatrixMdev } from "./matrix-mdev.ts";
import type { VfioAp } from "./vfio-ap.ts";

/**
 * No queue belongs to two: the product of adapters and domains is held against every other mediated device. The first one with a
 * common queue is reported, a line each. Source: Linux vfio_ap_ops.c, vfio_ap_mdev_verify_no_sharing.
 */
export function reportSharing(driver: VfioAp, assignee: MatrixMdev, adapters: Mask, domains: Mask): boolean {
  const owner = firstOwner(driver, adapters, domains, assignee);
  if (!owner || !driver.generation.isDynamic) return owner !== undefined;
  const isNewer = driver.generation.conflictTexts === "newer";
  report(driver, isNewer ? assignee : owner, owner, adapters, domains, (queue) =>
    isNewer
      ? `Userspace may not assign queue ${queue} to mdev: already assigned to ${owner.uuid}`
      : `Userspace may not re-assign queue ${queue} already assigned to ${owner.uuid}`,
  );
  return true;
}

/** The AP bus asks before it gives queues to the host's drivers. */
export function reportInUse(driver: VfioAp, adapters: Mask, domains: Mask): boolean {
  const owner = firstOwner(driver, adapters, domains);
  if (!owner) return false;
  report(driver, owner, owner, adapters, domains, (queue) =>
    driver.generation.conflictTexts === "newer"
      ? `Can not reserve queue ${queue} for host driver: in use by mdev`
      : `Userspace may not re-assign queue ${queue} already assigned to ${owner.uuid}`,
  );
  return true;
}

function firstOwner(driver: VfioAp, adapters: Mask, domains: Mask, except?: MatrixMdev): MatrixMdev | undefined {
  return driver.matrixMdevs.find(
    (candidate) =>
      candidate !== except && candidate.matrix.adapters.intersects(adapters) && candidate.matrix.usageDomains.intersects(domains),
  );
}

function report(driver: VfioAp, on: MatrixMdev, owner: MatrixMdev, adapters: Mask, domains: Mask, text: (queue: string) => string): void {
  for (const adapter of adapters.and(owner.matrix.adapters)) {
    for (const domain of domains.and(owner.matrix.usageDomains)) {
      const queue = `${adapterName(adapter)}.${domainName(domain)}`;
      driver.bus.log.write(Level.warning, `${driver.generation.mdevDriver} ${on.uuid}: ${text(queue)}`);
    }
  }
}
