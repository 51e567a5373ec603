import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { WorkThreadData } from "./serve-work.ts";

/** Threads that work for a model. */
export interface WorkersOptions {
  /** A module, compiled, that calls `serveWork`. */
  readonly module: string;
  readonly count: number;
}

export interface WorkerThreadsOptions extends Pick<WorkThreadData, "wake"> {
  readonly module: string;
  /** The port that leads to it, for the thread that owns the model. */
  readonly onStarted: (worker: number, port: MessagePort) => void;
  /** It ended by itself: what it had to do is lost. */
  readonly onEnded: (worker: number) => void;
  readonly onFault: (error: Error) => void;
}

/** The workers themselves, each started when it is wanted. They do not keep the process alive, and none is left after `end`. */
export class WorkerThreads {
  readonly #options: WorkerThreadsOptions;
  readonly #threads = new Map<number, Worker>();
  #isOver = false;

  constructor(options: WorkerThreadsOptions) {
    this.#options = options;
  }

  start(worker: number): void {
    if (this.#isOver || this.#threads.has(worker)) return;
    const { module, wake, onStarted, onEnded, onFault } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const data: WorkThreadData = { port: port2, wake };
    const thread = new Worker(module, { workerData: data, transferList: [port2] });
    thread.unref();
    this.#threads.set(worker, thread);
    thread.on("error", onFault);
    thread.on("exit", () => {
      this.#threads.delete(worker);
      if (!this.#isOver) onEnded(worker);
    });
    onStarted(worker, port1);
  }

  /** Resolves when all are gone. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#threads.values()].map((thread) => thread.terminate()));
  }
}
