import type { Reply } from "./reply.ts";

/**
 * How a session reaches the device and the model's turn. An operation that may change the model stands between `beginInput` and
 * `endInput`; its reply leaves with `endInput`, after what it invalidated. All other replies leave at once by `send`, and must:
 * whoever waits for them may hold a lock that an invalidation needs (the directory of a LOOKUP, the page of a cached READ).
 */
export interface Channel {
  send(reply: Reply): void;
  beginInput(): void;
  endInput(reply: Reply | undefined): void;
  /** A reply that came due inside the running input; it leaves at that input's end. The reply is copied. */
  sendAtEnd(reply: Reply): void;
  /** A wake-up came through the device; `unique` is the number it was sent with. */
  woken(unique: number): void;
  /** A bug of the model: it was answered with EIO. */
  fault(error: unknown): void;
}
