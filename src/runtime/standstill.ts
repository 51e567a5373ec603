/** Notices a counter that stands still while it should move. */
export class Standstill {
  #seen: number | undefined;
  #sinceMs = 0;

  constructor(private readonly limitMs: number) {}

  /** To be called often; true once a busy counter has not moved for the limit. */
  lasts(counter: number, isBusy: boolean, nowMs = performance.now()): boolean {
    if (counter !== this.#seen || !isBusy) this.#sinceMs = nowMs;
    this.#seen = counter;
    return nowMs - this.#sinceMs >= this.limitMs;
  }
}
