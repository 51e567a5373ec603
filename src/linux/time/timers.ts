/**
 * Injected time: the core schedules, whoever holds the clock says when it is. A background timer (a periodic scan, a time-out)
 * does not keep the system busy: `settle` does not wait for it.
 */
export interface Timer {
  readonly dueMs: number;
  cancel(): void;
}

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly isBackground: boolean;
  readonly fire: () => void;
}

export class Timers {
  #nowMs: number;
  #order = 0;
  #entries: Entry[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get nextDueMs(): number | undefined {
    return this.#entries[0]?.dueMs;
  }

  after(delayMs: number, fire: () => void, options: { readonly isBackground?: boolean } = {}): Timer {
    return this.at(this.#nowMs + delayMs, fire, options);
  }

  at(dueMs: number, fire: () => void, options: { readonly isBackground?: boolean } = {}): Timer {
    const entry: Entry = { dueMs, order: this.#order++, isBackground: options.isBackground ?? false, fire };
    const index = this.#entries.findIndex((other) => other.dueMs > entry.dueMs);
    this.#entries.splice(index < 0 ? this.#entries.length : index, 0, entry);
    return { dueMs, cancel: () => this.#drop(entry) };
  }

  /** Fires all that is due at `nowMs`, in order of time. Time never goes back. */
  advanceTo(nowMs: number): void {
    for (let first = this.#entries[0]; first && first.dueMs <= nowMs; first = this.#entries[0]) {
      this.#entries.shift();
      this.#nowMs = Math.max(this.#nowMs, first.dueMs);
      first.fire();
    }
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  /** Advances to the first timer that is not background and fires what is due by then; false when there is none. Background timers passed over stay. */
  fireNextForeground(): boolean {
    const entry = this.#entries.find((candidate) => !candidate.isBackground);
    if (!entry) return false;
    this.#drop(entry);
    this.#nowMs = Math.max(this.#nowMs, entry.dueMs);
    entry.fire();
    return true;
  }

  #drop(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#entries.splice(index, 1);
  }
}
