import { type Task, Wait } from "../../sysfs/wait.ts";

/**
 * What the kernel does in a system call or a worker, as a generator: it yields a Wait where it would sleep and nothing where it
 * may be preempted. A job runs at once until it ends, sleeps or has used up its slice; the rest runs later, in the order jobs
 * became ready. One thread: between two yields nothing else happens.
 */
export type Job<T> = Generator<Sleep | undefined, T>;

/** What a job can sleep on: a Wait of anything. */
interface Sleep {
  readonly outcome: object | undefined;
  onSettled(listener: () => void): void;
}

interface ReadyWork {
  readonly run: () => void;
  readonly input: number;
}

/** Of a model's inputs the one that is being worked on: what is queued belongs to it, and so does what that work queues in turn. */
export interface CurrentInput {
  number: number;
}

export class WorkQueue {
  #ready: ReadyWork[] = [];
  #sliceEnd = Number.POSITIVE_INFINITY;

  /** Queues of one model share their `input`. */
  constructor(
    private readonly input: CurrentInput = { number: 0 },
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** How long inputs from now on may take before their jobs give way; infinite at first. */
  beginSlice(budgetMs: number): void {
    this.#sliceEnd = budgetMs === Number.POSITIVE_INFINITY ? budgetMs : this.monotonicMs() + budgetMs;
  }

  get isIdle(): boolean {
    return this.#ready.length === 0;
  }

  /** Whether work that belongs to the input is ready. */
  hasWorkOf(input: number): boolean {
    return this.#ready.some((work) => work.input === input);
  }

  /** Starts a job; its result if it ended in this turn, a Wait for it otherwise. `onInterrupt`: what a signal does to who waits. */
  run<T>(job: Job<T>, onInterrupt?: (task: Task, wait: Wait<T>) => void): T | Wait<T> {
    let finished: { value: T } | undefined;
    let waiting: Wait<T> | undefined;
    const proceed = (): void => {
      try {
        for (;;) {
          const step = job.next();
          if (step.done) {
            finished = { value: step.value };
            waiting?.complete(() => step.value);
            return;
          }
          if (step.value && !step.value.outcome) {
            step.value.onSettled(() => this.#push(proceed));
            return;
          }
          if (this.#sliceEnd !== Number.POSITIVE_INFINITY && this.monotonicMs() > this.#sliceEnd) {
            this.#push(proceed);
            return;
          }
        }
      } catch (error) {
        if (!waiting) throw error;
        waiting.complete(() => {
          throw error;
        });
      }
    };
    proceed();
    if (finished) return finished.value;
    const wait: Wait<T> = new Wait<T>(onInterrupt && ((task) => onInterrupt(task, wait)));
    waiting = wait;
    return wait;
  }

  /** Queues a job for later in this or a following slice. */
  defer(job: () => Job<void>): void {
    this.#push(() => this.run(job()));
  }

  #push(run: () => void): void {
    this.#ready.push({ run, input: this.input.number });
  }

  /** Runs ready jobs for about `budgetMs`; true while some are left. */
  work(budgetMs: number): boolean {
    this.beginSlice(budgetMs);
    const end = this.#sliceEnd;
    const input = this.input.number;
    for (let next = this.#ready.shift(); next; next = this.#ready.shift()) {
      this.input.number = next.input;
      next.run();
      if (this.monotonicMs() > end) break;
    }
    this.input.number = input;
    return this.#ready.length > 0;
  }
}

/** A lock that jobs take in turn: it goes straight to who has waited longest. */
export class Mutex {
  #isHeld = false;
  #waiting: Wait<void>[] | undefined;

  get isHeld(): boolean {
    return this.#isHeld;
  }

  *hold<T>(body: () => Job<T>): Job<T> {
    if (this.#isHeld) {
      const turn = new Wait<void>();
      this.#waiting ??= [];
      this.#waiting.push(turn);
      yield turn;
    }
    this.#isHeld = true;
    try {
      return yield* body();
    } finally {
      const next = this.#waiting?.shift();
      if (next) next.complete(() => {});
      else this.#isHeld = false;
    }
  }
}
