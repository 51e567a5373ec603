import { ApCard } from "../bus/ap-card.ts";
import type { ApQueue } from "../bus/ap-queue.ts";

/** What happened to one request of a program so far. */
export class RequestTrack {
  /** How often it ended with EAGAIN. */
  failures = 0;
  /** Where it was sent last. */
  lastQueue: ApQueue | undefined;
  /** Set while it is in a queue: takes it out and ends it with ERESTARTSYS. */
  cancel: (() => void) | undefined;

  /** Whether this is what it failed on. Queue 0 of card 0 counts as no queue, as in the kernel. */
  wasSentTo(device: ApCard | ApQueue): boolean {
    if (this.failures === 0 || !this.lastQueue || this.lastQueue.apqn === 0) return false;
    return device instanceof ApCard ? this.lastQueue.adapter === device.id : this.lastQueue.apqn === device.apqn;
  }

  /** A signal came. */
  interrupt(): void {
    this.cancel?.();
  }
}
