import type { ApCard } from "../bus/ap-card.ts";
import type { ApQueue } from "../bus/ap-queue.ts";

/** What zcrypt adds to a card and a queue that one of its drivers serves. Source: Linux drivers/s390/crypto/zcrypt_card.c, zcrypt_queue.c. */
export class ZcryptCard {
  isOnline = true;
  load = 0;

  constructor(
    readonly card: ApCard,
    /** `CEX5C` and so on. */
    readonly typeName: string,
  ) {}

  get isUsable(): boolean {
    const { card } = this;
    return card.isConfigured && this.isOnline && !(card.apBus.generation.onlineNeedsNoCheckstop && card.isCheckstopped);
  }
}

export class ZcryptQueue {
  isOnline = true;
  load = 0;

  constructor(
    readonly queue: ApQueue,
    readonly zcryptCard: () => ZcryptCard | undefined,
  ) {}

  get isUsable(): boolean {
    const { queue } = this;
    return queue.isConfigured && this.isOnline && !(queue.apBus.generation.onlineNeedsNoCheckstop && queue.isCheckstopped);
  }
}
