import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { fromFailure } from "./failure.ts";
import type { ModelThreadData } from "./model-thread.ts";
import type { NotifierData } from "./notifier-thread.ts";
import { mountState, sharedWord } from "./shared-state.ts";
import { Standstill } from "./standstill.ts";
import type { Delivery, Input, Notice } from "./thread-messages.ts";
import { createWake } from "./wake.ts";
import { type WorkersOptions, WorkerThreads } from "./worker-threads.ts";

/** The main thread's end of the model thread and the notifier thread. */
export interface ServingThreadsOptions extends Omit<ModelThreadData, "mailbox" | "notifier" | "workerCount"> {
  readonly workers: WorkersOptions | undefined;
  readonly onDelivery: (delivery: Delivery) => void;
  /** The model wants a tick in so many milliseconds. */
  readonly onTimer: (delayMs: number) => void;
  readonly onFault: (error: Error) => void;
  /** The threads are at their end; the reason if they know one. */
  readonly onEnd: (error: Error | undefined) => void;
}

const watchMs = 1000;
/** How long the notifier may take for what it still has when the model thread is gone. */
const notifierLimitMs = 1000;

export class ServingThreads {
  readonly #options: ServingThreadsOptions;
  readonly #modelThread: Worker;
  readonly #notifierThread: Worker;
  readonly #modelThreadExited: Promise<void>;
  readonly #notifierThreadExited: Promise<void>;
  readonly #mailbox: MessagePort;
  readonly #workers: WorkerThreads | undefined;
  readonly #wakeUp: () => void;
  #isWakeable = false;
  /** Until they can wake the model thread. */
  readonly #wantedWorkers: number[] = [];
  #watch: NodeJS.Timeout | undefined;
  /** The model is made; requests are taken as soon as there is a mount. Rejects with what its module threw. */
  readonly ready: Promise<void>;

  constructor(options: ServingThreadsOptions) {
    this.#options = options;
    const { onDelivery, onTimer, onFault, onEnd, workers, ...common } = options;
    const { device, shared } = options;
    this.#wakeUp = createWake({ device, shared }, (error) => onEnd(error as Error));
    this.#workers =
      workers &&
      new WorkerThreads({
        module: workers.module,
        wake: { device, shared },
        onStarted: (worker, port) => this.post({ kind: "worker-started", worker, port }),
        onEnded: (worker) => this.post({ kind: "worker-ended", worker }),
        onFault,
      });
    const mailbox = new MessageChannel();
    const batches = new MessageChannel();
    this.#mailbox = mailbox.port1;

    const notifierData: NotifierData = { device: options.device, shared: options.shared, batches: batches.port2 };
    this.#notifierThread = new Worker(new URL("./notifier-thread.js", import.meta.url), {
      workerData: notifierData,
      transferList: [batches.port2],
    });
    this.#notifierThread.on("message", (message: Delivery | Notice) => {
      if (!("kind" in message)) onDelivery(message);
      else if (message.kind === "fault") onFault(fromFailure(message.failure));
    });
    this.#notifierThread.on("error", onEnd);
    this.#notifierThreadExited = new Promise((resolve) => this.#notifierThread.on("exit", () => resolve()));

    const modelData: ModelThreadData = { ...common, mailbox: mailbox.port2, notifier: batches.port1, workerCount: workers?.count ?? 0 };
    this.#modelThread = new Worker(new URL("./model-thread.js", import.meta.url), {
      workerData: modelData,
      transferList: [mailbox.port2, batches.port1],
    });
    this.ready = new Promise((resolve, reject) => {
      const end = (error: Error): void => {
        reject(error);
        onEnd(error);
      };
      this.#modelThread.on("message", (notice: Notice) => {
        if (notice.kind === "ready") resolve();
        if (notice.kind === "timer") onTimer(notice.delayMs);
        if (notice.kind === "fault") onFault(fromFailure(notice.failure));
        if (notice.kind === "worker-wanted") this.#startWorker(notice.worker);
        if (notice.kind === "dead") end(fromFailure(notice.failure));
      });
      this.#modelThread.on("error", end);
    });
    this.ready.catch(() => {});
    this.#modelThreadExited = new Promise((resolve) =>
      this.#modelThread.on("exit", () => {
        onEnd(undefined);
        resolve();
      }),
    );
  }

  /** Lets the model thread read from the device, or end if there is no mount to read from. */
  setMountState(state: keyof typeof mountState): void {
    Atomics.store(this.#options.shared, sharedWord.mountState, mountState[state]);
    Atomics.notify(this.#options.shared, sharedWord.mountState);
  }

  /** The wake file is held from now on: what was posted before is taken. */
  beginWaking(): void {
    this.#isWakeable = true;
    this.#wakeUp();
    for (const worker of this.#wantedWorkers.splice(0)) this.#startWorker(worker);
  }

  #startWorker(worker: number): void {
    if (this.#isWakeable) this.#workers?.start(worker);
    else this.#wantedWorkers.push(worker);
  }

  post(input: Input): void {
    this.#mailbox.postMessage(input, input.kind === "worker-started" ? [input.port] : []);
    if (this.#isWakeable || input.kind === "stop") this.#wakeUp();
  }

  /**
   * Calls `onStandstill` when the model does not come back from one input for so long, or the kernel from one invalidation: both would hang
   * everybody who touches the mount.
   */
  watch(limitMs: number, onStandstill: (error: Error) => void): void {
    const { shared } = this.#options;
    const seconds = Math.round(limitMs / 1000);
    const model = new Standstill(limitMs);
    const notifier = new Standstill(limitMs);
    this.#watch = setInterval(() => {
      const turns = Atomics.load(shared, sharedWord.turns);
      const completed = Atomics.load(shared, sharedWord.completed);
      const submitted = Atomics.load(shared, sharedWord.submitted);
      if (model.lasts(turns, (turns & 1) === 1)) onStandstill(new Error(`the model has been at one input for ${seconds} s`));
      if (notifier.lasts(completed, completed !== submitted)) {
        onStandstill(new Error(`the kernel has been at one invalidation for ${seconds} s`));
      }
    }, watchMs);
    this.#watch.unref();
  }

  /** Ends the model thread in whatever it does; a read(2) only returns once the connection was aborted. */
  async terminate(): Promise<void> {
    await this.#modelThread.terminate();
  }

  /** Resolves when all threads are gone. The model thread must have been told to stop, or have lost its mount. */
  async exited(): Promise<void> {
    clearInterval(this.#watch);
    await this.#modelThreadExited;
    await this.#workers?.end();
    const force = setTimeout(() => void this.#notifierThread.terminate(), notifierLimitMs);
    await this.#notifierThreadExited;
    clearTimeout(force);
    this.#mailbox.close();
  }
}
