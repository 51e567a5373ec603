import { apqnName } from "../../ap/apqn.ts";
import { decodeStatus, ResponseCode } from "../../ap/status.ts";
import { Wait } from "../../sysfs/wait.ts";
import { Level } from "../kernel-log.ts";
import type { Job } from "../time/work-queue.ts";
import type { VfioApQueue } from "./vfio-ap-queue.ts";

/**
 * Queues are zeroized before they go to somebody else: ZAPQ for all of them, then each is watched until it is empty.
 * Source: Linux vfio_ap_ops.c, vfio_ap_mdev_reset_queue and apq_reset_check.
 */
const checkIntervalMs = 20;

const isUnderWay = (code: number): boolean =>
  code === ResponseCode.normal ||
  code === ResponseCode.resetInProgress ||
  code === ResponseCode.busy ||
  code === ResponseCode.stateChangeInProgress;

/** Resets in the given order and waits until all are done. */
export function* resetQueues(queues: readonly VfioApQueue[]): Job<void> {
  for (const queue of queues) startReset(queue);
  let pending = queues.filter((queue) => isUnderWay(queue.resetCode));
  for (let waitedMs = 0; ; waitedMs += checkIntervalMs) {
    pending = pending.filter((queue) => !isReset(queue, waitedMs));
    const timers = pending[0]?.queue.apBus.timers;
    if (!timers) return;
    const pause = new Wait<void>();
    timers.after(checkIntervalMs, () => pause.complete(() => {}));
    yield pause;
  }
}

function startReset(queue: VfioApQueue): void {
  queue.resetCode = decodeStatus(queue.queue.instructions.zapq(queue.apqn)).responseCode;
  const { resetCode } = queue;
  if (resetCode === ResponseCode.deconfigured || resetCode === ResponseCode.checkstopped) queue.guestIsc = undefined;
  else if (!isUnderWay(resetCode)) warn(queue, `PQAP/ZAPQ for ${apqnName(queue.apqn)} failed with invalid rc=${resetCode}`);
}

/**
 * One look at a queue: whether there is nothing left to wait for. The kernel sleeps before its first look; here that one is at once,
 * and not a word about it.
 */
function isReset(queue: VfioApQueue, waitedMs: number): boolean {
  const { instructions, apBus } = queue.queue;
  for (let isFirstLook = waitedMs === 0; ; isFirstLook = true) {
    const { status, responseCode } = instructions.tapq(queue.apqn);
    if (responseCode === ResponseCode.resetInProgress || responseCode === ResponseCode.busy) {
      const { queueEmpty, irqEnabled } = decodeStatus(status);
      const details = `${responseCode}, ${Number(queueEmpty)}, ${Number(irqEnabled)}`;
      const text = `vfio_ap: Waited ${waitedMs}ms for reset of queue ${apqnName(queue.apqn)} (${details})`;
      if (!isFirstLook) apBus.log.write(Level.notice, text);
      return false;
    }
    const isDone =
      responseCode === ResponseCode.normal || responseCode === ResponseCode.deconfigured || responseCode === ResponseCode.checkstopped;
    if (!isDone) {
      warn(queue, `failed to verify reset of queue ${apqnName(queue.apqn)}: TAPQ rc=${responseCode}`);
      return true;
    }
    if (queue.resetCode === ResponseCode.normal || !isUnderWay(queue.resetCode)) {
      queue.guestIsc = undefined;
      return true;
    }
    // The first attempt met another reset: it does not count.
    queue.resetCode = decodeStatus(instructions.zapq(queue.apqn)).responseCode;
  }
}

const warn = (queue: VfioApQueue, text: string): void => queue.queue.apBus.log.write(Level.warning, text);
