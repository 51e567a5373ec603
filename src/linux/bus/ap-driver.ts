import type { Mask } from "../../ap/mask.ts";
import type { QciBlock } from "../../ap/qci.ts";
import type { Device } from "../driver-core/device.ts";
import type { Driver } from "../driver-core/driver.ts";
import type { Job } from "../time/work-queue.ts";

/** A driver of the AP bus. Source: Linux drivers/s390/crypto/ap_bus.h, struct ap_driver. */
export interface ApDriver extends Driver {
  /** One of the host's own: it gets what the masks reserve, others get the rest. */
  readonly isDefault: boolean;
  /** Whether it uses a queue of the product of these adapters and domains. */
  readonly inUse?: (adapters: Mask, domains: Mask) => boolean;
  readonly configurationChanged?: (now: QciBlock, before: QciBlock) => Job<void>;
  readonly scanCompleted?: (now: QciBlock, before: QciBlock) => Job<void>;
  /** Takes the interruptions of its queues; without it the bus looks for replies to its own requests. */
  readonly interrupted?: (queue: Device) => void;
}
