import type { Mask } from "../../ap/mask.ts";
import type { ApBus } from "./ap-bus.ts";
import type { ApDriver } from "./ap-driver.ts";

/**
 * Whether the host's own drivers own a queue of the product; an empty product is owned by nobody. An override of a bound queue
 * decides for it, else both mask bits do, also for queues that do not exist.
 */
export function isOwnedByHost({ masks, queues }: ApBus, adapters: Mask, domains: Mask): boolean {
  if (masks.overrides === 0) return adapters.intersects(masks.adapters) && domains.intersects(masks.domains);
  for (const adapter of adapters) {
    for (const domain of domains) {
      const queue = queues.get((adapter << 8) | domain);
      if (queue?.driver && queue.driverOverride !== undefined) {
        if ((queue.driver as ApDriver).isDefault) return true;
      } else if (masks.isHostReserved(adapter, domain)) return true;
    }
  }
  return false;
}
