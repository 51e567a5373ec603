import type { Readable, Writable } from "node:stream";

/** What a peer that asks and never reads may leave unsent: stops a client from filling the memory of all emulators of this process. */
export const MAX_UNSENT_BYTES = 8 << 20;

export interface PeerEvents {
  readonly received: (bytes: Uint8Array) => void;
  readonly drained: () => void;
  /** Once; nothing follows. */
  readonly gone: () => void;
}

/** One peer of a character device, over a pair of streams or one that goes both ways. */
export class Peer {
  readonly #input: Readable | undefined;
  readonly #output: Writable | undefined;
  readonly #events: PeerEvents;
  #isGone = false;

  constructor(streams: { readonly input?: Readable; readonly output?: Writable }, events: PeerEvents) {
    this.#input = streams.input;
    this.#output = streams.output;
    this.#events = events;
    this.#input?.on("data", (bytes: Buffer) => {
      if (!this.#isGone) events.received(bytes);
    });
    // What was asked before the end has been answered by now: a paused stream does not end.
    this.#input?.once("end", () => this.leave());
    this.#output?.on("drain", () => {
      if (!this.#isGone) events.drained();
    });
    for (const stream of new Set([this.#input, this.#output])) {
      stream?.on("error", () => this.#lose());
      stream?.once("close", () => this.#lose());
    }
  }

  get unsentBytes(): number {
    return this.#output?.writableLength ?? 0;
  }

  write(text: string): void {
    if (this.#isGone || !this.#output?.writable) return;
    this.#output.write(text);
    if (this.unsentBytes > MAX_UNSENT_BYTES) this.#lose();
  }

  pause(): void {
    this.#input?.pause();
  }

  resume(): void {
    if (!this.#isGone) this.#input?.resume();
  }

  /** Sends what is unsent, then goes. */
  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#output?.end();
    this.#events.gone();
  }

  #lose(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#input?.destroy();
    this.#output?.destroy();
    this.#events.gone();
  }
}
