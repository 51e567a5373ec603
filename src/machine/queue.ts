import { encodeStatus, ResponseCode } from "../ap/status.ts";
import { QueueEpoch } from "./queue-epoch.ts";

/**
 * One AP queue: messages in, replies out in the same order. A reset empties it and ends its epoch, so that a late reply to a
 * message from before the reset is dropped.
 */
interface PendingMessage {
  readonly id: MessageId;
  reply: Uint8Array | undefined;
}

/** The 64-bit message identifier (PSMID) as two words. */
export interface MessageId {
  readonly high: number;
  readonly low: number;
}

export class Queue {
  isInterruptEnabled = false;
  #messages: PendingMessage[] = [];
  #epoch = new QueueEpoch();
  #resetUntilMs = 0;
  readonly #replyListeners = new Set<() => void>();

  constructor(readonly depth: number) {}

  get epoch(): QueueEpoch {
    return this.#epoch;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  get isFull(): boolean {
    return this.#messages.length >= this.depth;
  }

  get hasReply(): boolean {
    return this.#messages[0]?.reply !== undefined;
  }

  isResetting(nowMs: number): boolean {
    return nowMs < this.#resetUntilMs;
  }

  reset(nowMs: number, durationMs: number): void {
    this.#messages = [];
    this.#epoch.end();
    this.#epoch = new QueueEpoch();
    this.isInterruptEnabled = false;
    this.#resetUntilMs = durationMs > 0 ? nowMs + durationMs : 0;
    this.#tellListeners();
  }

  /** Calls `listener` once when there is a first reply, or a reset took away what was waited for. The returned function takes it back. */
  onReply(listener: () => void): () => void {
    this.#replyListeners.add(listener);
    return () => this.#replyListeners.delete(listener);
  }

  #tellListeners(): void {
    const listeners = [...this.#replyListeners];
    this.#replyListeners.clear();
    for (const listener of listeners) listener();
  }

  /** Takes a message; the returned function delivers its reply and says whether the queue still wanted it. */
  enqueue(id: MessageId): (reply: Uint8Array) => boolean {
    const message: PendingMessage = { id, reply: undefined };
    const epoch = this.#epoch;
    this.#messages.push(message);
    return (reply) => {
      if (epoch.isOver || message.reply) return false;
      message.reply = reply;
      if (this.hasReply) this.#tellListeners();
      return true;
    };
  }

  get firstReply(): { readonly id: MessageId; readonly reply: Uint8Array } | undefined {
    const first = this.#messages[0];
    return first?.reply ? { id: first.id, reply: first.reply } : undefined;
  }

  dropFirst(): void {
    this.#messages.shift();
  }

  statusWord(responseCode: number = ResponseCode.normal): number {
    return encodeStatus({
      queueEmpty: this.isEmpty,
      repliesWaiting: this.hasReply,
      queueFull: this.isFull,
      irqEnabled: this.isInterruptEnabled,
      responseCode,
    });
  }
}
