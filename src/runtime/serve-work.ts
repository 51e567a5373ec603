import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { createWake, type WakeTarget } from "./wake.ts";

/** What a worker of a model starts with; its module calls `serveWork`. */
export interface WorkThreadData {
  /** Leads to the thread that owns the model. */
  readonly port: MessagePort;
  /** Undefined where the model's thread has an event loop. */
  readonly wake: WakeTarget | undefined;
}

/** Waking the model's thread costs both sides: answers wait so long for each other while there is more to do. */
const maxHeldMs = 1;

/** Does what the model sends, one message after the other, and sends back what comes of it, several at once. What `work` throws ends the thread. */
export function serveWork<Message>(work: (message: Message) => unknown): void {
  const { port, wake } = workerData as WorkThreadData;
  const wakeModel = wake && createWake(wake, fail);
  port.on("message", (first: Message) => {
    let answers: unknown[] = [];
    let sinceMs = performance.now();
    for (let next: { message: Message } | undefined = { message: first }; next; ) {
      const answer = work(next.message);
      if (answer !== undefined) answers.push(answer);
      next = receiveMessageOnPort(port);
      if (next && performance.now() - sinceMs < maxHeldMs) continue;
      if (answers.length > 0) {
        port.postMessage(answers);
        wakeModel?.();
      }
      answers = [];
      sinceMs = performance.now();
    }
  });
}

function fail(error: unknown): never {
  throw error;
}
