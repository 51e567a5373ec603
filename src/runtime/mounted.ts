import { closeSync, openSync } from "node:fs";
import { checkFuse, devicePath } from "../fuse/check-fuse.ts";
import { abortConnection, unmount } from "../fuse/mount.ts";
import { mountsAt } from "../fuse/mount-table.ts";
import { PendingAnswers } from "./pending-answers.ts";
import { RealClock } from "./real-clock.ts";
import type { Runtime, RuntimeOptions } from "./runtime.ts";
import { ServingThreads } from "./serving-threads.ts";
import { createSharedState, sharedWord } from "./shared-state.ts";
import { Supervisor } from "./supervisor.ts";
import type { Delivery } from "./thread-messages.ts";

/**
 * A model behind a mount: model thread, notifier thread, supervisor process, and this thread, which holds the clock and the mailbox. Nothing
 * here may touch the mount: the model thread would answer, but a synchronous call of ours could wait for an answer that
 * waits for us to take an event.
 */
export interface MountedOptions extends RuntimeOptions {
  /** Of a module that exports a CreateModel; compiled, as the model thread imports it. */
  readonly modelModule: URL | string;
  /** The name of that export: `createModel` unless told otherwise. */
  readonly modelExport?: string;
  /** An existing empty folder, as an absolute path without links. What a dead host left mounted there is taken away. */
  readonly mountPoint: string;
  /** Types of events whose `onEvent` must have settled before the write that caused them returns: uevents. */
  readonly awaitedEventTypes?: readonly string[];
  /** How long this process may be silent, or the model at one input, before the mount is taken away: a minute unless told otherwise. */
  readonly silenceLimitMs?: number;
}

const defaultSilenceLimitMs = 60_000;
/** How long an orderly end may take before the connection is aborted. */
const stopLimitMs = 5000;

/** Resolves when the mount answers; rejects with why not, and leaves nothing then. */
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
  readonly #threads: ServingThreads;
  readonly #supervisor: Supervisor;
  readonly #clock: RealClock;
  readonly ready: Promise<void>;
  readonly ended: Promise<Error | undefined>;
  #resolveEnded: (reason: Error | undefined) => void = () => {};
  #stopping: Promise<void> | undefined;
  /** A process that exits waits for its threads: the one in read(2) has to be woken. The supervisor does the rest. */
  readonly #atExit = (): void => this.#threads.post({ kind: "stop" });
  /** Of the mount's device number; it names the connection. */
  #minor: number | undefined;

  constructor(options: MountedOptions) {
    this.#options = options;
    const { mountPoint, clock, configuration, silenceLimitMs = defaultSilenceLimitMs } = options;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#clock = new RealClock(() => this.#threads.post({ kind: "tick", id: undefined, nowMs: undefined }));
    this.#threads = new ServingThreads({
      device: this.#device,
      shared: this.#shared,
      modelModule: String(options.modelModule),
      modelExport: options.modelExport ?? "createModel",
      configuration,
      clock,
      workers: options.workers,
      awaitedEventTypes: options.awaitedEventTypes ?? [],
      onDelivery: (delivery) => this.#take(delivery),
      onTimer: (delayMs) => this.#clock.set(delayMs),
      onFault: (error) => this.#options.onFault?.(error),
      onEnd: (error) => this.#endWith(error ?? new Error(`the mount at ${mountPoint} was taken away`)),
    });
    this.#threads.watch(silenceLimitMs, (error) => this.#endWith(error));
    this.#supervisor = new Supervisor({
      device: this.#device,
      mountPoint,
      silenceLimitMs,
      onLost: () => this.#endWith(new Error(`the supervisor of the mount at ${mountPoint} ended`)),
    });
    void this.#supervisor.mounted.then((minor) => {
      this.#minor = minor;
      this.#threads.setMountState("mounted");
    });
    process.once("exit", this.#atExit);
    this.ready = Promise.all([this.#supervisor.ready, this.#threads.ready]).then(() => this.#threads.beginWaking());
  }

  command(request: unknown): Promise<unknown> {
    return this.#answers.ask((id) => this.#threads.post({ kind: "command", id, request }));
  }

  async tick(nowMs: number): Promise<void> {
    await this.#answers.ask((id) => this.#threads.post({ kind: "tick", id, nowMs }));
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
    this.#clock.stop();
    const force = setTimeout(() => void this.#force(), stopLimitMs);
    await this.#supervisor.unmount();
    if (this.#isStillMounted) await unmount(this.#options.mountPoint);
    this.#threads.setMountState("stopped");
    this.#threads.post({ kind: "stop" });
    await this.#threads.exited();
    clearTimeout(force);
    process.off("exit", this.#atExit);
    closeSync(this.#device);
    await this.#supervisor.close();
    this.#answers.end(reason ?? new Error("the runtime was stopped"));
    this.#resolveEnded(reason);
  }

  /** True if the supervisor was lost: then another program has to take the mount away. */
  get #isStillMounted(): boolean {
    return this.#minor !== undefined && mountsAt(this.#options.mountPoint).some(({ minor }) => minor === this.#minor);
  }

  async #force(): Promise<void> {
    if (this.#minor !== undefined) await abortConnection(this.#minor);
    await this.#threads.terminate();
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
    if (handled.length === 0) this.#acknowledge(number);
    else void Promise.allSettled(handled).then(() => this.#acknowledge(number));
  }

  #acknowledge(number: number): void {
    Atomics.store(this.#shared, sharedWord.acknowledged, number);
    Atomics.notify(this.#shared, sharedWord.acknowledged);
  }
}
