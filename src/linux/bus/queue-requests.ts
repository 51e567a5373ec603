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

  /** Takes all, oldest first. */
  takeAll(): ApRequest[] {
    const all = [...this.pending.values(), ...this.waiting];
    this.pending.clear();
    this.waiting = [];
    return all;
  }
}
