import type { ModelTurns } from "./model-turns.ts";

/** Less than a timer of the event loop can tell apart. */
const toleranceMs = 1;

/**
 * Tells the main thread when the model wants its next tick, but only when that is earlier than what was told last: a timer that fires too
 * early does no harm, and most inputs change nothing.
 */
export class TimerAnnouncer {
  #announcedMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly turns: ModelTurns,
    private readonly announce: (delayMs: number) => void,
  ) {}

  /** To be called after every input. */
  update(): void {
    const delayMs = this.turns.nextDelayMs;
    if (delayMs === undefined) return;
    const dueMs = performance.now() + delayMs;
    if (dueMs > this.#announcedMs - toleranceMs) return;
    this.#announcedMs = dueMs;
    this.announce(delayMs);
  }

  /** The timer fired. */
  fired(): void {
    this.#announcedMs = Number.POSITIVE_INFINITY;
  }
}
