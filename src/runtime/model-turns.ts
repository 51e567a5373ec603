import { type Outcome, Wait } from "../sysfs/wait.ts";
import type { Model } from "./model.ts";

/**
 * A model's turns, one input after the other: time is brought up to date, the input runs, then what it queued. Queued work beyond one
 * slice is left for `slice`; the answer of the input that queued it waits until that is done, and what others queue meanwhile keeps it no
 * longer. An input that finds work left by others waits for none: where it has to, the model gives it a Wait.
 */
export const sliceMs = 10;
/** While requests keep coming: a program's next one is not held up by more than this. */
export const shortSliceMs = 2;

export class ModelTurns {
  #hasWork = false;
  #input = 0;
  /** Whose answer waits for its work. */
  #heldInput: number | undefined;

  constructor(
    private readonly model: Model,
    /** Undefined with a manual clock. */
    private readonly nowMs: (() => number) | undefined,
    private readonly onFault: (error: unknown) => void,
  ) {}

  get hasWork(): boolean {
    return this.#hasWork;
  }

  /** Whether work is left for which an answer waits. */
  get hasHeldWork(): boolean {
    return this.#heldInput !== undefined;
  }

  /** Milliseconds until the model wants a tick. */
  get nextDelayMs(): number | undefined {
    const due = this.model.nextTimerMs;
    return due === undefined || !this.nowMs ? undefined : Math.max(0, due - this.nowMs());
  }

  begin(): void {
    this.model.beginInput(++this.#input);
    if (this.nowMs) this.tick(this.nowMs());
  }

  tick(nowMs: number): void {
    try {
      this.model.tick(nowMs);
    } catch (error) {
      this.onFault(error);
    }
  }

  /** True if the answer of the input that ends here has to wait until none of its work is left. */
  end(): boolean {
    if (this.#hasWork) return false;
    this.#heldInput = this.#input;
    this.slice();
    return this.hasHeldWork;
  }

  slice(budgetMs = sliceMs): void {
    try {
      this.#hasWork = this.model.work(budgetMs);
    } catch (error) {
      this.#hasWork = false;
      this.onFault(error);
    }
    if (this.#heldInput !== undefined && !(this.#hasWork && this.model.hasWorkOf(this.#heldInput))) this.#heldInput = undefined;
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
