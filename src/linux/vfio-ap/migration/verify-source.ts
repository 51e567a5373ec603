import { apqnName, domainName } from "../../../ap/apqn.ts";
import { decodeQueueInfo } from "../../../ap/queue-info.ts";
import { Errno, type ErrnoName, fail } from "../../../sysfs/errno.ts";
import { Level } from "../../kernel-log.ts";
import type { CallSite } from "../../rate-limited-log.ts";
import type { MatrixMdev } from "../matrix-mdev.ts";
import type { VfioAp } from "../vfio-ap.ts";
import type { ConfigurationData, SourceQueue } from "./configuration-data.ts";
import { incompatibilities } from "./queue-compatibility.ts";
import { queueWords } from "./queue-words.ts";

/**
 * Whether this host can take over a source's configuration; every queue that stands in the way has its line. ENODEV: a queue is not bound
 * to vfio_ap, a control domain or a queue is not there. EINVAL: a queue is not compatible. EIO: a queue does not say what it is. Source:
 * vfio_ap_migration.c of the migration series of 2026, do_post_copy_validation.
 */
export function verifySource(driver: VfioAp, mdev: MatrixMdev, source: ConfigurationData): void {
  if (!areQueuesBound(driver, mdev, source)) fail("ENODEV");
  if (!areControlDomainsThere(driver, mdev, source)) fail("ENODEV");
  let last: ErrnoName | undefined;
  for (const queue of source.queues) last = compare(driver, mdev, queue) ?? last;
  if (last !== undefined) fail(last);
}

const notBound: CallSite = { caller: "queues_available" };

function areQueuesBound(driver: VfioAp, { uuid }: MatrixMdev, { queues }: ConfigurationData): boolean {
  const missing = queues.filter(({ queue }) => !driver.queues.has(queue));
  for (const { queue } of missing) {
    const text = `vfio_ap_mdev ${uuid}: Queue ${apqnName(queue)} not available to vfio_ap driver on target host`;
    driver.limitedLog.write(notBound, Level.error, text);
  }
  return missing.length === 0;
}

const notConfigured: CallSite = { caller: "control_domains_available" };

function areControlDomainsThere(driver: VfioAp, { uuid }: MatrixMdev, { controlDomains }: ConfigurationData): boolean {
  const missing = controlDomains.andNot(driver.bus.configuration.controlDomains);
  for (const domain of missing) {
    const text = `vfio_ap_mdev: ${uuid}: Control domain ${domainName(domain)} not available on the destination host`;
    driver.limitedLog.write(notConfigured, Level.error, text);
  }
  return missing.isEmpty;
}

/** Undefined: the queue here can stand in for it. */
function compare(driver: VfioAp, mdev: MatrixMdev, source: SourceQueue): ErrnoName | undefined {
  let target: SourceQueue;
  try {
    target = queueWords(driver, mdev, source.queue);
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
  const lines = incompatibilities(source.queue, decodeQueueInfo(source.high, source.low), decodeQueueInfo(target.high, target.low));
  for (const { site, text } of lines) driver.limitedLog.write(site, Level.error, `vfio_ap_mdev ${mdev.uuid}: ${text}`);
  return lines.length === 0 ? undefined : "EINVAL";
}
