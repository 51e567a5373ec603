import type { Errno } from "../../sysfs/errno.ts";

/** A message on its way to a card, and who waits for the reply. */
export interface ApRequest {
  readonly message: Uint8Array;
  readonly isSpecial: boolean;
  readonly settle: (outcome: { readonly reply: Uint8Array } | { readonly error: Errno }) => void;
}

/** Messages that were not yet enqueued, and those a queue works on, by identifier. */
export class RequestLists {
  waiting: ApRequest[] = [];
  readonly pending = new Map<number, ApRequest>();

  /** False when it is in neither. */
  drop(request: ApRequest): boolean {
    const index = this.waiting.indexOf(request);
    if (index >= 0) return this.waiting.splice(index, 1).length > 0;
    for (const [id, pending] of this.pending) if (pending === request) return this.pending.delete(id);
    return false;
  }

  /** What a queue worked on waits again, before what was not yet enqueued. */
  waitAgain(): void {
    this.waiting = this.takeAll();
  }

  /** Takes all, oldest first. */
  takeAll(): ApRequest[] {
    const all = [...this.pending.values(), ...this.waiting];
    this.pending.clear();
    this.waiting = [];
    return all;
  }
}
