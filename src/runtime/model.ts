import type { Directory } from "../sysfs/node.ts";
import type { Wait } from "../sysfs/wait.ts";

/**
 * The state of one host and all that can be asked of it: what the model thread owns. Synchronous; one input at a time, and
 * each runs to its end, except for work that is queued and done in slices.
 */
export interface Model {
  /** What a mount shows: `host` and `guests`, each the /sys of one Linux. */
  readonly root: Directory;
  /** When the next timer is due, in milliseconds of the clock's time; undefined without one. */
  readonly nextTimerMs: number | undefined;
  /** Fires every timer that is due at `nowMs`. */
  tick(nowMs: number): void;
  /** What is queued from now on belongs to the input of that number, and so does what that work queues in turn. */
  beginInput(input: number): void;
  /** Does queued work for about `budgetMs`; true while some is left. */
  work(budgetMs: number): boolean;
  /** Whether queued work of an input is left. */
  hasWorkOf(input: number): boolean;
  /** A request of a control client, already parsed JSON; anything wrong with it is thrown. */
  command(request: unknown): unknown | Wait<unknown>;
}

/** What a model tells the outside, in order: a uevent, a line of the kernel log, the end of a guest. Plain JSON. */
export type ModelEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * Threads that work for a model, by number; what they send is an input like a command. Each takes its messages in order; one that is not
 * there is started by the first.
 */
export interface Workers {
  readonly count: number;
  send(worker: number, message: unknown): void;
  /** To be called once, when the model is made. */
  listen(listener: WorkersListener): void;
}

export interface WorkersListener {
  onMessage(worker: number, message: unknown): void;
  /** It is gone, with all that it was sent and did not answer; the next message starts another. */
  onEnd(worker: number): void;
}

/**
 * Makes a model from plain JSON; `emit` may be called at any time. Without workers the model does all its work itself. The model thread
 * gets a module that exports one.
 */
export type CreateModel = (configuration: unknown, emit: (event: ModelEvent) => void, workers?: Workers) => Model;
