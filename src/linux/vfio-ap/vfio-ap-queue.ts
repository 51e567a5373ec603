import { type Apqn, adapterOf, domainOf } from "../../ap/apqn.ts";
import { ResponseCode } from "../../ap/status.ts";
import type { ApQueue } from "../bus/ap-queue.ts";
import type { MatrixMdev } from "./matrix-mdev.ts";

/** What vfio_ap knows of a queue that is bound to it. */
export class VfioApQueue {
  /** The mediated device whose matrix has it. */
  matrixMdev: MatrixMdev | undefined;
  /** Response code of the last reset. */
  resetCode: number = ResponseCode.normal;
  /** The guest's interruption subclass while its interrupt is on. */
  guestIsc: number | undefined;

  constructor(readonly queue: ApQueue) {}

  get apqn(): Apqn {
    return this.queue.apqn;
  }

  get adapter(): number {
    return adapterOf(this.apqn);
  }

  get domain(): number {
    return domainOf(this.apqn);
  }

  /** Whether a guest may have it: its last reset went well, or could not happen for want of the adapter. */
  get isPassable(): boolean {
    if (this.resetCode === ResponseCode.normal) return true;
    const isUnreachable = this.resetCode === ResponseCode.deconfigured || this.resetCode === ResponseCode.checkstopped;
    return isUnreachable && this.queue.apBus.generation.passesUnreachableQueues;
  }
}
