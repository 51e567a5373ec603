import { closeSync, openSync } from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { checkFuse, devicePath } from "../fuse/check-fuse.ts";
import { Messages } from "../fuse/messages.ts";
import { abortConnection, unmount } from "../fuse/mount.ts";
import { mountsAt } from "../fuse/mount-table.ts";
import { wakeNodeId } from "../fuse/wake-file.ts";
import { writeMessage } from "./device-channel.ts";
import { type Failure, fromFailure } from "./failure.ts";
import type { Delivery, Input, Notice } from "./messages.ts";
import type { ModelThreadData } from "./model-thread.ts";
import type { NotifierData } from "./notifier-thread.ts";
import { PendingAnswers } from "./pending-answers.ts";
import { RealClock } from "./real-clock.ts";
import type { Runtime, RuntimeOptions } from "./runtime.ts";
import { createSharedState, mountState, sharedWord } from "./shared-state.ts";
import { Supervisor } from "./supervisor.ts";
import { wakeUnique } from "./wake-unique.ts";

/**
 * A model behind a mount: model thread, notifier thread, supervisor process, and this thread, which holds the clock and the mailbox. Nothing
 * here may touch the mount: the model thread would answer, but a synchronous call of ours could wait for an answer that
 * waits for us to take an event.
 */
export interface MountedOptions extends RuntimeOptions {
  /** Of a module that exports a CreateModel; compiled, as the model thread imports it. */
  readonly modelModule: URL | string;
  /** The name of that export. */
  readonly modelExport?: string;
  /** An existing empty folder, as an absolute path without links. What a dead host left mounted there is taken away. */
  readonly mountPoint: string;
  /** Types of events whose `onEvent` must have settled before the write that caused them returns: uevents. */
  readonly awaitedEventTypes?: readonly string[];
  /** How long this process may be silent before the supervisor takes the mount away. */
  readonly silenceLimitMs?: number;
}

const defaultSilenceLimitMs = 60_000;
const watchMs = 1000;
/** How long an orderly end may take before the connection is aborted. */
const stopLimitMs = 5000;
/** How long the notifier may take for what it still has. */
const notifierLimitMs = 1000;

export async function startMounted(options: MountedOptions): Promise<Runtime> {
  const reason = checkFuse();
  if (reason !== undefined) throw new Error(`nothing can be mounted here: ${reason}`);
  const runtime = new MountedRuntime(options);
  try {
    await runtime.ready;
  } catch (error) {
    await runtime.stop();
    throw error;
  }
  return runtime;
}

class MountedRuntime implements Runtime {
  readonly #options: MountedOptions;
  readonly #device = openSync(devicePath, "r+");
  readonly #shared = createSharedState();
  readonly #answers = new PendingAnswers();
  readonly #mailbox: MessagePort;
  readonly #modelThread: Worker;
  readonly #notifierThread: Worker;
  readonly #modelThreadExited: Promise<void>;
  readonly #notifierThreadExited: Promise<void>;
  readonly #supervisor: Supervisor;
  readonly #clock = new RealClock(() => this.#post({ kind: "tick", id: undefined, nowMs: undefined }));
  readonly #wake: Uint8Array<ArrayBuffer>;
  readonly #watch: NodeJS.Timeout;
  readonly ready: Promise<void>;
  readonly ended: Promise<Error | undefined>;
  #resolveEnded: (reason: Error | undefined) => void = () => {};
  #stopping: Promise<void> | undefined;
  /** Of the mount's device number; it names the connection. */
  #minor: number | undefined;

  constructor(options: MountedOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const wake = new Messages();
    wake.retrieve(wakeNodeId, wakeUnique.mailbox);
    this.#wake = wake.take();

    const mailbox = new MessageChannel();
    const batches = new MessageChannel();
    this.#mailbox = mailbox.port1;
    const device = this.#device;
    const shared = this.#shared;
    const notifierData: NotifierData = { device, shared, batches: batches.port2 };
    this.#notifierThread = new Worker(new URL("./notifier-thread.js", import.meta.url), {
      workerData: notifierData,
      transferList: [batches.port2],
    });
    const modelData: ModelThreadData = {
      device,
      shared,
      modelModule: String(options.modelModule),
      modelExport: options.modelExport ?? "createModel",
      configuration: options.configuration,
      clock: options.clock,
      awaitedEventTypes: options.awaitedEventTypes ?? [],
      mailbox: mailbox.port2,
      notifier: batches.port1,
    };
    this.#modelThread = new Worker(new URL("./model-thread.js", import.meta.url), {
      workerData: modelData,
      transferList: [mailbox.port2, batches.port1],
    });
    let resolveServing: () => void = () => {};
    let rejectServing: (error: Error) => void = () => {};
    const serving = new Promise<void>((resolve, reject) => {
      resolveServing = resolve;
      rejectServing = reject;
    });
    const end = (error: Error): void => {
      rejectServing(error);
      this.#endWith(error);
    };
    this.#modelThread.on("message", (notice: Notice) => {
      if (notice.kind === "ready") resolveServing();
      if (notice.kind === "timer") this.#clock.set(notice.delayMs);
      if (notice.kind === "fault") this.#fault(notice.failure);
      if (notice.kind === "dead") end(fromFailure(notice.failure));
    });
    this.#modelThread.on("error", end);
    this.#modelThreadExited = new Promise((resolve) => {
      this.#modelThread.on("exit", () => {
        end(new Error(`the mount at ${options.mountPoint} was taken away`));
        resolve();
      });
    });
    this.#notifierThread.on("message", (message: Delivery | Notice) => {
      if ("kind" in message) this.#fault((message as { failure: Failure }).failure);
      else this.#take(message);
    });
    this.#notifierThread.on("error", end);
    this.#notifierThreadExited = new Promise((resolve) => this.#notifierThread.on("exit", () => resolve()));
    this.#supervisor = new Supervisor({
      device,
      mountPoint: options.mountPoint,
      silenceLimitMs: options.silenceLimitMs ?? defaultSilenceLimitMs,
      onLost: () => end(new Error(`the supervisor of the mount at ${options.mountPoint} ended`)),
    });
    void this.#supervisor.mounted.then((minor) => {
      this.#minor = minor;
      this.#setMountState(mountState.mounted);
    });
    this.#watch = this.#watchModelThread();
    this.ready = Promise.all([this.#supervisor.ready, serving]).then(() => {});
  }

  command(request: unknown): Promise<unknown> {
    return this.#answers.ask((id) => this.#post({ kind: "command", id, request }));
  }

  async tick(nowMs: number): Promise<void> {
    await this.#answers.ask((id) => this.#post({ kind: "tick", id, nowMs }));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop(undefined);
    return this.#stopping;
  }

  #endWith(error: Error): void {
    this.#stopping ??= this.#stop(error);
  }

  /** The mount first, then the thread that reads from it, then the device: with its last descriptor the connection ends. */
  async #stop(reason: Error | undefined): Promise<void> {
    clearInterval(this.#watch);
    this.#clock.stop();
    const force = setTimeout(() => void this.#force(), stopLimitMs);
    await this.#supervisor.unmount();
    if (this.#isStillMounted) await unmount(this.#options.mountPoint);
    this.#setMountState(mountState.stopped);
    this.#post({ kind: "stop" });
    await this.#modelThreadExited;
    clearTimeout(force);
    const forceNotifier = setTimeout(() => void this.#notifierThread.terminate(), notifierLimitMs);
    await this.#notifierThreadExited;
    clearTimeout(forceNotifier);
    this.#mailbox.close();
    closeSync(this.#device);
    await this.#supervisor.close();
    this.#answers.end(reason ?? new Error("the runtime was stopped"));
    this.#resolveEnded(reason);
  }

  /** The supervisor is lost: another program has to take the mount away. */
  get #isStillMounted(): boolean {
    return this.#minor !== undefined && mountsAt(this.#options.mountPoint).some(({ minor }) => minor === this.#minor);
  }

  async #force(): Promise<void> {
    if (this.#minor !== undefined) await abortConnection(this.#minor);
    await this.#modelThread.terminate();
  }

  #setMountState(state: number): void {
    Atomics.store(this.#shared, sharedWord.mountState, state);
    Atomics.notify(this.#shared, sharedWord.mountState);
  }

  #post(input: Input): void {
    this.#mailbox.postMessage(input);
    if (Atomics.exchange(this.#shared, sharedWord.isWoken, 1) === 1) return;
    writeMessage(this.#device, this.#wake, this.#wake.length, (error) => this.#endWith(error as Error));
  }

  #take({ outputs, number }: Delivery): void {
    const handled: Promise<void>[] = [];
    for (const output of outputs) {
      if (output.kind !== "event") {
        this.#answers.take(output);
        continue;
      }
      try {
        const result = this.#options.onEvent?.(output.event);
        if (result instanceof Promise) handled.push(result);
      } catch (error) {
        this.#options.onFault?.(error as Error);
      }
    }
    const acknowledge = (): void => {
      Atomics.store(this.#shared, sharedWord.acknowledged, number);
      Atomics.notify(this.#shared, sharedWord.acknowledged);
    };
    if (handled.length === 0) acknowledge();
    else void Promise.allSettled(handled).then(acknowledge);
  }

  #fault(failure: Failure): void {
    this.#options.onFault?.(fromFailure(failure));
  }

  /** A model that does not come back from one input would hang everybody who touches the mount. */
  #watchModelThread(): NodeJS.Timeout {
    const limitMs = this.#options.silenceLimitMs ?? defaultSilenceLimitMs;
    let seen = -1;
    let sinceMs = 0;
    const watch = setInterval(() => {
      const turns = Atomics.load(this.#shared, sharedWord.turns);
      if (turns !== seen) sinceMs = performance.now();
      seen = turns;
      if ((turns & 1) === 0 || performance.now() - sinceMs < limitMs) return;
      this.#endWith(new Error(`the model has been at one input for ${Math.round(limitMs / 1000)} s`));
    }, watchMs);
    watch.unref();
    return watch;
  }
}
