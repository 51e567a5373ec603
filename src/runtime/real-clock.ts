const longestTimeoutMs = 0x7fff_ffff;

/** One timer of the event loop: calls `onDue` when the delay that was set last is over. */
export class RealClock {
  #timeout: NodeJS.Timeout | undefined;

  constructor(private readonly onDue: () => void) {}

  set(delayMs: number): void {
    clearTimeout(this.#timeout);
    this.#timeout = setTimeout(this.onDue, Math.min(Math.ceil(delayMs), longestTimeoutMs));
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }
}
