import { type Outcome, Wait } from "../sysfs/wait.ts";
import type { Model } from "./model.ts";

/**
 * A model's turns, one input after the other: time is brought up to date, the input runs, then what it queued. Queued work beyond one
 * slice is left for `slice`; the answer of the input that queued it waits until that is done. An input that finds work left by
 * others does not wait for theirs: where it has to, the model gives it a Wait.
 */
export const sliceMs = 10;
/** While requests keep coming: a program's next one is not held up by more than this. */
export const shortSliceMs = 2;

export class ModelTurns {
  #hasWork = false;

  constructor(
    private readonly model: Model,
    /** Undefined with a manual clock. */
    private readonly nowMs: (() => number) | undefined,
    private readonly onFault: (error: unknown) => void,
  ) {}

  get hasWork(): boolean {
    return this.#hasWork;
  }

  /** Milliseconds until the model wants a tick. */
  get nextDelayMs(): number | undefined {
    const due = this.model.nextTimerMs;
    return due === undefined || !this.nowMs ? undefined : Math.max(0, due - this.nowMs());
  }

  begin(): void {
    if (this.nowMs) this.tick(this.nowMs());
  }

  tick(nowMs: number): void {
    try {
      this.model.tick(nowMs);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** True if the answer of the input that ends here has to wait until no work is left. */
  end(): boolean {
    if (this.#hasWork) return false;
    this.slice();
    return this.#hasWork;
  }

  slice(budgetMs = sliceMs): void {
    try {
      this.#hasWork = this.model.work(budgetMs);
    } catch (error) {
      this.#hasWork = false;
      this.onFault(error);
    }
  }

  /** `answer` is called once, now or in the turn in which the model's Wait settles. */
  command(request: unknown, answer: (outcome: Outcome<unknown>) => void): void {
    let result: unknown;
    try {
      result = this.model.command(request);
    } catch (error) {
      return answer({ error });
    }
    if (result instanceof Wait) result.onSettled(answer);
    else answer({ value: result });
  }
}
