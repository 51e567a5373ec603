import type { Mask } from "../../ap/mask.ts";
import type { Operation, Target } from "./operation.ts";
import type { RequestTrack } from "./request-track.ts";
import type { ZcryptCard, ZcryptQueue } from "./zcrypt-devices.ts";

/** What a device node lets a program reach. */
export interface Permissions {
  readonly adapters: Mask;
  readonly domains: Mask;
}

export interface Choice extends Target {
  /** What is added to the loads while the request is under way. */
  readonly weight: number;
}

/** Added to the weight of what a request was sent to in vain, so that another card is tried, then another queue. */
const penalties = { card: 1000, queue: 10000 } as const;

/**
 * The card and queue with the least weight and load, the request counts deciding between equals; a card must be better than the best so
 * far before its queues are looked at. The load that is added is that of the last card that could have done it, as the kernel adds it.
 * Source: Linux drivers/s390/crypto/zcrypt_api.c, zcrypt_card_compare, zcrypt_queue_compare, zcrypt_pick_queue.
 */
export function chooseQueue(
  cards: readonly ZcryptCard[],
  { weightOn, fits }: Pick<Operation<unknown>, "weightOn" | "fits">,
  permissions: Permissions,
  track: RequestTrack,
): Choice | undefined {
  let best: (Target & { readonly penalized: number }) | undefined;
  let weight = 0;
  for (const card of cards) {
    if (!card.takesRequests || !permissions.adapters.has(card.card.id)) continue;
    const rating = weightOn(card);
    if (rating === undefined) continue;
    weight = rating;
    const onCard = rating + (track.wasSentTo(card.card) ? penalties.card : 0);
    if (best && !isBetter(loadOf(card), onCard, loadOf(best.card), best.penalized)) continue;
    for (const queue of card.queues) {
      if (!queue.takesRequests || !permissions.domains.has(queue.queue.domain) || !fits(queue)) continue;
      const penalized = onCard + (track.wasSentTo(queue.queue) ? penalties.queue : 0);
      if (best && !isBetter(loadOf(queue), penalized, loadOf(best.queue), best.penalized)) continue;
      best = { card, queue, penalized };
    }
  }
  return best && { card: best.card, queue: best.queue, weight };
}

interface Load {
  readonly load: number;
  readonly requestCount: number;
}

function loadOf(device: ZcryptCard | ZcryptQueue): Load {
  const { load } = device;
  return { load, requestCount: "card" in device ? device.card.requestCount : device.queue.machine.requestCount };
}

function isBetter(candidate: Load, weight: number, best: Load, bestWeight: number): boolean {
  const difference = candidate.load + weight - best.load - bestWeight;
  return difference === 0 ? candidate.requestCount < best.requestCount : difference < 0;
}
