import type { Linux } from "../../linux/linux.ts";
import type { Timers } from "../../linux/time/timers.ts";
import type { WorkQueue } from "../../linux/time/work-queue.ts";
import type { CryptoLoop } from "./crypto-loop.ts";

/** What a model guest has from one boot to its end. */
export interface System {
  readonly linux: Linux;
  readonly timers: Timers;
  readonly work: WorkQueue;
  readonly bootId: string;
  /** It was restored here and has not run yet. */
  isStanding: boolean;
  loop: CryptoLoop | undefined;
}
