import { adapterName } from "../../ap/apqn.ts";
import { Device } from "../driver-core/device.ts";
import type { ApBus } from "./ap-bus.ts";
import type { ApQueue } from "./ap-queue.ts";
import { cardAttributes } from "./card-attributes.ts";
import { modalias, ueventMode } from "./uevent-text.ts";

/** A card device: what the bus learned of an adapter from TAPQ of one of its queues. Source: Linux drivers/s390/crypto/ap_card.c. */
export interface CardInfo {
  /** The type byte as TAPQ gave it. */
  readonly rawType: number;
  /** The type of the driver that serves it. */
  readonly type: number;
  /** The left word of TAPQ, reduced to what belongs to the card. */
  readonly functions: number;
  /** The depth field of TAPQ: messages less one. */
  readonly depthField: number;
  /** In units of 4 KiB, 0 for 12 KiB. */
  readonly messageLimit: number;
}

const defaultMessageBytes = 12 * 1024;

export class ApCard extends Device {
  readonly queues = new Map<number, ApQueue>();
  isConfigured = true;
  isCheckstopped = false;
  requestCount = 0;

  constructor(
    readonly apBus: ApBus,
    readonly id: number,
    readonly info: CardInfo,
  ) {
    super(`card${adapterName(id)}`, apBus, apBus.uevents);
    this.directory.attach(cardAttributes(apBus.generation), this);
  }

  /** How many messages one of its queues holds. */
  get depth(): number {
    return this.info.depthField + 1;
  }

  get maxMessageBytes(): number {
    return this.info.messageLimit === 0 ? defaultMessageBytes : this.info.messageLimit * 4096;
  }

  countsChanged(): void {
    this.changed("request_count");
    this.changed("requestq_count");
    this.changed("pendingq_count");
  }

  override get deviceType(): string {
    return "ap_card";
  }

  protected override get classKeys(): readonly (readonly [string, string])[] {
    const keys: (readonly [string, string])[] = [
      ["DEV_TYPE", this.info.type.toString(16).toUpperCase().padStart(4, "0")],
      ["MODALIAS", modalias(this.info.type)],
    ];
    const mode = ueventMode(this.info.functions);
    if (mode && this.apBus.generation.hasModeInUevent) keys.push(["MODE", mode]);
    return keys;
  }
}
