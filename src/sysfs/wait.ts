/**
 * The answer of an operation that the kernel would sleep in: the event has not come yet.
 * The model goes on; whoever asked registers for the outcome. `interrupt` is what a signal does.
 */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** Who waits, as the kernel would name it in its log. */
export interface Task {
  readonly command: string;
  readonly pid: number;
}

export class Wait<T> {
  #outcome: Outcome<T> | undefined;
  #listener: ((outcome: Outcome<T>) => void) | undefined;
  readonly #onInterrupt: ((task: Task) => void) | undefined;

  /** `onInterrupt` may settle this wait; without it a signal has no effect (an uninterruptible sleep). */
  constructor(onInterrupt?: (task: Task) => void) {
    this.#onInterrupt = onInterrupt;
  }

  get outcome(): Outcome<T> | undefined {
    return this.#outcome;
  }

  /** Settles with what `produce` returns or throws; a second call is ignored. */
  complete(produce: () => T): void {
    if (this.#outcome) return;
    try {
      this.#settle({ value: produce() });
    } catch (error) {
      this.#settle({ error });
    }
  }

  interrupt(task: Task = { command: "adjunct", pid: process.pid }): void {
    if (!this.#outcome) this.#onInterrupt?.(task);
  }

  /** Calls `listener` once with the outcome, at once if it is there. One listener. */
  onSettled(listener: (outcome: Outcome<T>) => void): void {
    if (this.#outcome) listener(this.#outcome);
    else this.#listener = listener;
  }

  #settle(outcome: Outcome<T>): void {
    this.#outcome = outcome;
    this.#listener?.(outcome);
    this.#listener = undefined;
  }
}
