import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { forEachMessage } from "../fuse/messages.ts";
import { writeMessage } from "./device-channel.ts";
import { toFailure } from "./failure.ts";
import { sharedWord } from "./shared-state.ts";
import type { Batch, Delivery, Notice } from "./thread-messages.ts";

/**
 * Sends batches, one after the other: invalidations, then what the model told the outside, then replies. An invalidation may have to wait
 * for a lock that a request holds (a directory's during a LOOKUP, a page's during a READ); the model thread answers that
 * request meanwhile, which is why this thread exists. It ends with a null batch.
 */
export interface NotifierData {
  readonly device: number;
  readonly batches: MessagePort;
  readonly shared: Int32Array<SharedArrayBuffer>;
}

/** How long a reply waits for the main thread to take the events of its input: it may be stuck, the program must not be. */
const awaitLimitMs = 1000;

const { device, batches, shared } = workerData as NotifierData;
const fault = (error: unknown): void => {
  const notice: Notice = { kind: "fault", failure: toFailure(error) };
  parentPort?.postMessage(notice);
};
let number = 0;

for (let isOver = false; !isOver; ) {
  Atomics.wait(shared, sharedWord.submitted, number);
  for (let message = receiveMessageOnPort(batches); message; message = receiveMessageOnPort(batches)) {
    const batch = message.message as Batch | null;
    if (!batch) {
      isOver = true;
      break;
    }
    number = (number + 1) | 0;
    deliver(batch);
    Atomics.store(shared, sharedWord.completed, number);
  }
}

function deliver({ notifications, outputs, isAwaited, replies }: Batch): void {
  if (notifications) sendAll(notifications);
  if (outputs) {
    const delivery: Delivery = { outputs, number };
    parentPort?.postMessage(delivery);
    if (isAwaited) awaitMainThread();
  }
  if (replies) sendAll(replies);
}

function sendAll(messages: Uint8Array<ArrayBuffer>): void {
  forEachMessage(messages, (message) => writeMessage(device, message, message.length, fault));
}

function awaitMainThread(): void {
  const deadline = performance.now() + awaitLimitMs;
  for (;;) {
    const seen = Atomics.load(shared, sharedWord.acknowledged);
    const leftMs = deadline - performance.now();
    if (((seen - number) | 0) >= 0 || leftMs <= 0) return;
    Atomics.wait(shared, sharedWord.acknowledged, seen, leftMs);
  }
}
