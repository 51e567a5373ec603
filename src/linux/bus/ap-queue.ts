import { type Apqn, adapterOf, apqnName, domainOf } from "../../ap/apqn.ts";
import { Device } from "../driver-core/device.ts";
import type { ApBus } from "./ap-bus.ts";
import type { ApCard } from "./ap-card.ts";
import type { ApInstructions } from "./instructions.ts";
import { queueAttributes } from "./queue-attributes.ts";
import { QueueStateMachine } from "./queue-state-machine.ts";
import { modalias, ueventMode } from "./uevent-text.ts";

/** A queue device. Source: Linux drivers/s390/crypto/ap_queue.c. */
export class ApQueue extends Device {
  isConfigured = true;
  isCheckstopped = false;
  /** The only driver that may have it, whatever the masks say. */
  driverOverride: string | undefined;
  readonly machine = new QueueStateMachine(this);

  constructor(
    readonly apBus: ApBus,
    readonly card: ApCard,
    readonly apqn: Apqn,
  ) {
    super(apqnName(apqn), apBus, apBus.uevents);
    this.directory.attach(queueAttributes(apBus.generation, card.depth), this);
  }

  get adapter(): number {
    return adapterOf(this.apqn);
  }

  get domain(): number {
    return domainOf(this.apqn);
  }

  get instructions(): ApInstructions {
    return this.apBus.instructions;
  }

  override get deviceType(): string {
    return "ap_queue";
  }

  protected override get classKeys(): readonly (readonly [string, string])[] {
    const mode = ueventMode(this.card.info.functions);
    if (this.apBus.generation.hasModeInUevent) return mode ? [["MODE", mode]] : [];
    return [
      ["DEV_TYPE", this.card.info.type.toString(16).toUpperCase().padStart(4, "0")],
      ["MODALIAS", modalias(this.card.info.type)],
    ];
  }
}
