import type { MessagePort } from "node:worker_threads";
import type { Outcome } from "../sysfs/wait.ts";
import { type Failure, toFailure } from "./failure.ts";
import type { ModelEvent } from "./model.ts";

/** What the threads of a runtime tell each other. */

/** From the main thread to the model, through the mailbox. */
export type Input =
  | { readonly kind: "command"; readonly id: number; readonly request: unknown }
  /** Without a time: the clock's. */
  | { readonly kind: "tick"; readonly id: number | undefined; readonly nowMs: number | undefined }
  | { readonly kind: "worker-started"; readonly worker: number; readonly port: MessagePort }
  | { readonly kind: "worker-ended"; readonly worker: number }
  | { readonly kind: "stop" };

/** To the main thread, in order. */
export type Output =
  | { readonly kind: "event"; readonly event: ModelEvent }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly failure: Failure };

export const toOutput = (id: number, outcome: Outcome<unknown>): Output =>
  "error" in outcome ? { kind: "refusal", id, failure: toFailure(outcome.error) } : { kind: "answer", id, value: outcome.value };

/** To the main thread, out of order. */
export type Notice =
  | { readonly kind: "ready" }
  | { readonly kind: "timer"; readonly delayMs: number }
  | { readonly kind: "fault"; readonly failure: Failure }
  | { readonly kind: "worker-wanted"; readonly worker: number }
  /** The thread ended because of this. */
  | { readonly kind: "dead"; readonly failure: Failure };

/** From the model thread to the notifier: sent in the order of the fields. */
export interface Batch {
  readonly notifications: Uint8Array<ArrayBuffer> | undefined;
  readonly outputs: readonly Output[] | undefined;
  /** The replies wait until the main thread has taken the outputs. */
  readonly isAwaited: boolean;
  readonly replies: Uint8Array<ArrayBuffer> | undefined;
}

/** From the notifier to the main thread. */
export interface Delivery {
  readonly outputs: readonly Output[];
  /** What to put into `acknowledged` once they are taken. */
  readonly number: number;
}
