import { writeSync } from "node:fs";
import type { Channel } from "../fuse/channel.ts";
import type { Invalidations } from "../fuse/invalidations.ts";
import { Messages } from "../fuse/messages.ts";
import type { Reply } from "../fuse/reply.ts";
import type { ModelTurns } from "./model-turns.ts";
import type { Batch, Output } from "./thread-messages.ts";

/**
 * The order in which things leave the model thread. An input that changed nothing is answered here, with one write. All others go to
 * the notifier as one batch: invalidations, then what the model tells the outside, then replies. While the notifier is
 * behind, every reply that could reveal a change goes after it through the same queue, so nobody sees a new text and then
 * an old one from the kernel's cache.
 */
export interface Notifier {
  readonly isIdle: boolean;
  submit(batch: Batch): void;
}

export interface DeviceChannelOptions {
  readonly device: number;
  readonly notifier: Notifier;
  readonly awaitedEventTypes: ReadonlySet<string>;
  readonly onWoken: (unique: number) => void;
  readonly onFault: (error: unknown) => void;
}

export class DeviceChannel implements Channel {
  readonly #options: DeviceChannelOptions;
  #turns: ModelTurns | undefined;
  #invalidations: Invalidations | undefined;
  #outputs: Output[] = [];
  readonly #late = new Messages();
  readonly #held = new Messages();
  #heldOutputs: Output[] = [];

  constructor(options: DeviceChannelOptions) {
    this.#options = options;
  }

  /** Must be called before the first request. */
  connect(turns: ModelTurns, invalidations: Invalidations): void {
    this.#turns = turns;
    this.#invalidations = invalidations;
  }

  send(reply: Reply): void {
    writeMessage(this.#options.device, reply.bytes, reply.length, this.#options.onFault);
  }

  beginInput(): void {
    this.#turns?.begin();
  }

  endInput(reply: Reply | undefined): void {
    if (this.#turns?.end()) {
      if (reply) this.#held.append(reply.bytes, reply.length);
      this.#flush(undefined);
    } else this.#flush(reply);
  }

  /** Ends an input of the main thread; `answer` leaves when its work is done. */
  endCommand(answer: Output | undefined): void {
    if (this.#turns?.end() && answer) this.#heldOutputs.push(answer);
    else if (answer) this.#outputs.push(answer);
    this.#flush(undefined);
  }

  /** Some of the work that is left; what came of it leaves at once, and an answer that waited for the end of its own. */
  slice(budgetMs: number): void {
    this.#turns?.slice(budgetMs);
    this.#flush(undefined);
  }

  sendAtEnd(reply: Reply): void {
    this.#late.append(reply.bytes, reply.length);
  }

  output(output: Output): void {
    this.#outputs.push(output);
  }

  woken(unique: number): void {
    this.#options.onWoken(unique);
  }

  fault(error: unknown): void {
    this.#options.onFault(error);
  }

  /** Lets everything go that is held back. */
  finish(): void {
    this.#release();
    this.#flush(undefined);
  }

  #flush(reply: Reply | undefined): void {
    if (!this.#turns?.hasHeldWork) this.#release();
    const { notifier, awaitedEventTypes } = this.#options;
    const notifications = this.#invalidations?.messages;
    const isPlain = this.#outputs.length === 0 && this.#late.isEmpty && (!notifications || notifications.isEmpty);
    if (isPlain && !reply) return;
    if (isPlain && reply && notifier.isIdle) return this.send(reply);
    if (reply) this.#late.append(reply.bytes, reply.length);
    const outputs = this.#outputs.length > 0 ? this.#outputs : undefined;
    const isAwaited = !this.#late.isEmpty && outputs !== undefined && outputs.some((output) => isOfType(output, awaitedEventTypes));
    notifier.submit({
      notifications: notifications && !notifications.isEmpty ? notifications.take() : undefined,
      outputs,
      isAwaited,
      replies: this.#late.isEmpty ? undefined : this.#late.take(),
    });
    if (outputs) this.#outputs = [];
  }

  #release(): void {
    if (this.#heldOutputs.length > 0) this.#outputs.push(...this.#heldOutputs.splice(0));
    if (this.#held.isEmpty) return;
    const replies = this.#held.take();
    this.#late.append(replies, replies.length);
  }
}

/**
 * Writes one message to the device. ENOENT is an answer too: the kernel does not know the inode or name any more, or the
 * request was given up. After the end of the connection there is nobody to tell.
 */
export function writeMessage(device: number, bytes: Uint8Array, length: number, onFault: (error: unknown) => void): void {
  try {
    writeSync(device, bytes, 0, length);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENODEV" && code !== "ECONNABORTED" && code !== "EPERM") onFault(error);
  }
}

const isOfType = (output: Output, types: ReadonlySet<string>): boolean => output.kind === "event" && types.has(output.event.type);
