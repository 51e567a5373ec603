/**
 * The life of a queue from one reset to the next: work sent elsewhere carries it, and whoever keeps something for the queue hears when it is
 * over. RAPQ, ZAPQ, removal, deconfiguring, checkstop and the loss of a domain all end it.
 */
export class QueueEpoch {
  #isOver = false;
  #observers: (() => void)[] = [];

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Calls `observer` once, in the turn in which the epoch ends; at once if it has ended. */
  onEnd(observer: () => void): void {
    if (this.#isOver) observer();
    else this.#observers.push(observer);
  }

  end(): void {
    this.#isOver = true;
    for (const observer of this.#observers.splice(0)) observer();
  }
}
