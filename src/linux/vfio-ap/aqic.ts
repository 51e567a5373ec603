import { AqicControl } from "../../ap/platform.ts";
import { decodeStatus, encodeStatus, ResponseCode } from "../../ap/status.ts";
import type { AqicHook } from "../../kvm/virtual-machine.ts";
import type { MatrixMdev } from "./matrix-mdev.ts";
import type { VfioAp } from "./vfio-ap.ts";

/**
 * A guest switches a queue's interrupt: the host does it for it. Which queues is the matter of the links, not of the guest's masks.
 * Source: Linux vfio_ap_ops.c, handle_pqap.
 */
export function handleAqic(driver: VfioAp, mdev: MatrixMdev, { queue, registers }: Parameters<AqicHook>[0]): number {
  const linked = mdev.user ? mdev.linked.get(queue) : undefined;
  if (!linked) return encodeStatus({ responseCode: ResponseCode.queueNotAvailable });
  const { instructions } = driver.bus;
  if ((registers[2]! & AqicControl.irHigh) === 0) {
    const status = instructions.aqic(queue, false);
    linked.guestIsc = undefined;
    return status;
  }
  const nibIsZero = registers[4] === 0 && registers[5] === 0;
  if (nibIsZero) return encodeStatus({ responseCode: ResponseCode.invalidAddress });
  let status = instructions.aqic(queue, true);
  if (linked.guestIsc === undefined && decodeStatus(status).responseCode === ResponseCode.otherwiseChanged) {
    // The bus switched it on when it found the queue, for itself: a guest that is as quick would never hear of a reply.
    instructions.aqic(queue, false);
    status = instructions.aqic(queue, true);
  }
  const { responseCode } = decodeStatus(status);
  if (responseCode === ResponseCode.normal) linked.guestIsc = registers[3]! & AqicControl.iscLow;
  else if (responseCode !== ResponseCode.otherwiseChanged) {
    driver.bus.log.write(
      4,
      `vfio_ap: vfio_ap_irq_enable: apqn ${queue.toString(16).padStart(4, "0")}: response: ${responseCode.toString(16).padStart(2, "0")}`,
    );
    instructions.aqic(queue, false);
  }
  return status;
}
