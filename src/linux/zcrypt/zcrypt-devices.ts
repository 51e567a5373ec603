import { Functions, type Mode } from "../../ap/queue-info.ts";
import type { ApCard } from "../bus/ap-card.ts";
import type { ApQueue } from "../bus/ap-queue.ts";
import type { Zcrypt } from "./zcrypt.ts";

/** What zcrypt adds to a card and a queue that one of its drivers serves. Source: Linux drivers/s390/crypto/zcrypt_card.c, zcrypt_queue.c. */
export class ZcryptCard {
  isOnline = true;
  /** Weights of the requests under way. */
  load = 0;
  /** In the order they came to its driver. */
  readonly queues: ZcryptQueue[] = [];

  constructor(
    readonly zcrypt: Zcrypt,
    readonly card: ApCard,
    readonly mode: Mode,
    /** `CEX5C` and so on. */
    readonly typeName: string,
  ) {}

  /** What `online` shows. */
  get isUsable(): boolean {
    const { card } = this;
    return card.isConfigured && this.isOnline && !(card.apBus.generation.onlineNeedsNoCheckstop && card.isCheckstopped);
  }

  /** Whether requests may go to it. */
  get takesRequests(): boolean {
    return this.isOnline && this.card.isConfigured && !this.card.isCheckstopped;
  }

  /** The least and the greatest modulus in bytes that RSA on it may have; undefined where it does no RSA of its own. */
  get modulusBytes(): readonly [least: number, greatest: number] | undefined {
    if (this.mode === "ep11") return undefined;
    if (this.mode === "cca") return [16, this.typeName === "CEX2C" ? 256 : 512];
    const large = Functions.mex4k | Functions.crt4k;
    const isLarge = this.typeName !== "CEX2A" && (this.card.info.functions & large) === large;
    return [1, isLarge ? 512 : 256];
  }

  addLoad(weight: number): void {
    this.load += weight;
    this.card.changed("load");
  }
}

export class ZcryptQueue {
  isOnline = true;
  load = 0;

  constructor(
    readonly zcrypt: Zcrypt,
    readonly queue: ApQueue,
    /** What its card's driver knew of the card when the queue came; undefined: the card had no driver. */
    readonly zcryptCard: ZcryptCard | undefined,
  ) {}

  /** What `online` shows. */
  get isUsable(): boolean {
    const { queue } = this;
    return queue.isConfigured && this.isOnline && !(queue.apBus.generation.onlineNeedsNoCheckstop && queue.isCheckstopped);
  }

  get takesRequests(): boolean {
    const { queue } = this;
    return this.isOnline && queue.isConfigured && !queue.isCheckstopped && queue.machine.deviceState === "OPERATING";
  }

  addLoad(weight: number): void {
    this.load += weight;
    this.queue.changed("load");
  }

  /** A change of `online` that is told. */
  setOnline(isOnline: boolean): void {
    this.isOnline = isOnline;
    this.queue.changed("online");
    this.queue.announce("change", [["ONLINE", isOnline ? "1" : "0"]]);
  }
}
