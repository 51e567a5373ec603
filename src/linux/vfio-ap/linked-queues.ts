import type { Apqn } from "../../ap/apqn.ts";
import type { VfioApQueue } from "./vfio-ap-queue.ts";

/**
 * The queues bound to vfio_ap that a mediated device's matrix names. The kernel keeps them in a hash table of 256 buckets, and walks it
 * when it resets them all: that order shows. Source: Linux include/linux/hash.h (hash_32), hashtable.h.
 */
const goldenRatio = 0x61c88647;

const bucketOf = (queue: Apqn): number => Math.imul(queue, goldenRatio) >>> 24;

export class LinkedQueues {
  readonly #queues = new Map<Apqn, VfioApQueue>();

  get(queue: Apqn): VfioApQueue | undefined {
    return this.#queues.get(queue);
  }

  add(queue: VfioApQueue): void {
    this.#queues.set(queue.apqn, queue);
  }

  delete(queue: VfioApQueue): void {
    this.#queues.delete(queue.apqn);
  }

  get size(): number {
    return this.#queues.size;
  }

  inTableOrder(): VfioApQueue[] {
    return inTableOrder(this.#queues.values());
  }
}

/** Bucket by bucket, the queue that was added last first. */
export const inTableOrder = (queues: Iterable<VfioApQueue>): VfioApQueue[] =>
  [...queues].reverse().sort((left, right) => bucketOf(left.apqn) - bucketOf(right.apqn));
