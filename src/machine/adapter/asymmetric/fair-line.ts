/** What waits to be done, for several owners: they take turns, and what one owner brought stays in order. */
export class FairLine<Owner, Item> {
  /** In the order of the turns; nobody with nothing is in it. */
  readonly #waiting = new Map<Owner, Item[]>();

  add(owner: Owner, item: Item): void {
    const own = this.#waiting.get(owner);
    if (own) own.push(item);
    else this.#waiting.set(owner, [item]);
  }

  /** The next item; undefined when there is none. */
  take(): Item | undefined {
    for (const [owner, items] of this.#waiting) {
      const item = items.shift();
      this.#waiting.delete(owner);
      if (items.length > 0) this.#waiting.set(owner, items);
      return item;
    }
    return undefined;
  }

  /** The owner wants nothing any more. */
  drop(owner: Owner): void {
    this.#waiting.delete(owner);
  }
}
