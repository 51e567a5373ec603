import type { ZcryptCard, ZcryptQueue } from "./zcrypt-devices.ts";

/** A card and a queue of it that were chosen for a request. */
export interface Target {
  readonly card: ZcryptCard;
  readonly queue: ZcryptQueue;
}

export interface Message {
  readonly bytes: Uint8Array;
  /** NQAP gets the special-command bit. */
  readonly isSpecial: boolean;
}

/**
 * One request of a program: which cards can do it, the message for the queue that was chosen, and what the reply means.
 * The last two throw Errno; `resultOf` throws a MalformedReply for what no adapter of this kind should say.
 */
export interface Operation<Result> {
  /** Never sent a second time: EIO where another would be. */
  readonly isAdministrative: boolean;
  /** Undefined where the card cannot do it. */
  readonly weightOn: (card: ZcryptCard) => number | undefined;
  readonly fits: (queue: ZcryptQueue) => boolean;
  readonly messageFor: (target: Target) => Message;
  readonly resultOf: (reply: Uint8Array, target: Target) => Result;
}
