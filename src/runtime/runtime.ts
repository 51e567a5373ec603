import type { ModelEvent } from "./model.ts";
import type { WorkersOptions } from "./worker-threads.ts";

/** A model at work: in process or behind a mount, the same to whoever holds it. */
export interface Runtime {
  /** Rejects with what the model threw: an Errno as such, others by their name, message and code. */
  command(request: unknown): Promise<unknown>;
  /** Sets a manual clock and fires what is due by then; resolves when that is done. */
  tick(nowMs: number): Promise<void>;
  /** Ends it; resolves when nothing is left, mounts included. May be called more than once. */
  stop(): Promise<void>;
  /** Resolves when it is over: with nothing after `stop`, with the reason if it ended by itself. */
  readonly ended: Promise<Error | undefined>;
}

/** `real`: timers fire by themselves, milliseconds since the start. `manual`: time passes by `tick` alone. */
export type ClockKind = "real" | "manual";

export interface RuntimeOptions {
  readonly configuration: unknown;
  readonly clock: ClockKind;
  /** Threads for the model's long work, started when it first sends something; none, unless given. */
  readonly workers?: WorkersOptions;
  /** Hears of everything the model tells, in order, each before the answer of what caused it. */
  readonly onEvent?: (event: ModelEvent) => void | Promise<void>;
  /** A bug of the model: it failed one operation, the rest goes on. */
  readonly onFault?: (error: Error) => void;
}
