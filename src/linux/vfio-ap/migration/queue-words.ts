import { type Apqn, apqnName } from "../../../ap/apqn.ts";
import { decodeStatus, ResponseCode } from "../../../ap/status.ts";
import { fail } from "../../../sysfs/errno.ts";
import { Level } from "../../kernel-log.ts";
import type { CallSite } from "../../rate-limited-log.ts";
import type { MatrixMdev } from "../matrix-mdev.ts";
import type { VfioAp } from "../vfio-ap.ts";
import type { SourceQueue } from "./configuration-data.ts";

/** Source: vfio_ap_migration.c of the migration series of 2026, get_hardware_info_for_queue. */
const caller = "get_hardware_info_for_queue";
const notThere: CallSite = { caller };
const silent: CallSite = { caller };

/** With these a queue says what it is. */
const telling: readonly number[] = [
  ResponseCode.normal,
  ResponseCode.resetInProgress,
  ResponseCode.deconfigured,
  ResponseCode.checkstopped,
  ResponseCode.busy,
];

/** What TAPQ says of a queue of this host. ENODEV: it is not there; EIO: it does not say; with a line. */
export function queueWords(driver: VfioAp, mdev: MatrixMdev, queue: Apqn): SourceQueue {
  const { status, responseCode, high, low } = driver.bus.instructions.tapq(queue);
  const isThere = responseCode !== ResponseCode.queueNotAvailable;
  if (telling.includes(responseCode) || (isThere && decodeStatus(status).asynchronous)) return { queue, high, low };
  driver.limitedLog.write(
    isThere ? silent : notThere,
    Level.error,
    `vfio_ap_mdev ${mdev.uuid}: Failed to get hwinfo for queue ${apqnName(queue)}: TAPQ rc=${responseCode}`,
  );
  return fail(isThere ? "EIO" : "ENODEV");
}
