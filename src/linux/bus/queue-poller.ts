import type { Timers } from "../time/timers.ts";
import type { WorkQueue } from "../time/work-queue.ts";
import type { ApQueue } from "./ap-queue.ts";

/**
 * Looks at queues again: those that are reset at 25 Hz, those that owe a reply after the bus's poll_timeout. One timer serves all queues
 * that wait for the same. Source: Linux drivers/s390/crypto/ap_bus.c, ap_poll_timeout and ap_wait.
 */
export type PollReason = "reset-poll" | "reply-poll";

const resetPollMs = 40;

export class QueuePoller {
  #waiting: Record<PollReason, Set<ApQueue>> = { "reset-poll": new Set(), "reply-poll": new Set() };

  constructor(
    readonly work: WorkQueue,
    readonly timers: Timers,
    readonly replyPollMs: () => number,
  ) {}

  add(queue: ApQueue, reason: PollReason): void {
    const waiting = this.#waiting[reason];
    if (waiting.size === 0) {
      // A reply may never come: nobody waits for it to settle.
      const options = { isBackground: reason === "reply-poll" };
      this.timers.after(reason === "reset-poll" ? resetPollMs : this.replyPollMs(), () => this.#pollAll(reason), options);
    }
    waiting.add(queue);
  }

  #pollAll(reason: PollReason): void {
    const queues = this.#waiting[reason];
    this.#waiting[reason] = new Set();
    this.work.defer(function* () {
      for (const queue of queues) {
        queue.machine.run();
        yield undefined;
      }
    });
  }
}
