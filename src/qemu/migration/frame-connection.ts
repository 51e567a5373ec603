import type { Duplex } from "node:stream";
import { QemuError } from "../qemu-error.ts";
import { encodeFrame, encodePreface, type Frame, type FrameType, StreamError } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";

/** How often a side says that it is there, and how long the other may say nothing or take nothing. */
export const aliveIntervalMs = 5_000;
export const silenceLimitMs = 30_000;

/** How long a socket stays open behind a last word. */
const lastWordMs = 1_000;

/** Frames that came and that nobody asked for yet: a peer that sends more waits. */
const MAX_WAITING_FRAMES = 16;

export interface FrameConnectionOptions {
  readonly after: (ms: number, act: () => void) => () => void;
  /** Takes frames that are not waited for by `next`; true: taken. */
  readonly divert?: (frame: Frame) => Promise<boolean>;
}

/**
 * One connection of a migration. Frames are read all the time, so that what breaks is heard of at once. The first thing that goes wrong is
 * `failure` and ends everything: whoever waits here is told. A peer's last word, `failed` or `abort`, is such a failure.
 */
export class FrameConnection {
  #failure: Error | undefined;
  readonly #waiting: Frame[] = [];
  readonly #lostListeners = new Set<(error: Error) => void>();
  #wakeTaker: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;
  #forgetAlive: (() => void) | undefined;
  readonly #stream: Duplex;
  readonly #options: FrameConnectionOptions;

  constructor(stream: Duplex, options: FrameConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on("error", (error) => this.fail(lostError(error)));
    stream.on("close", () => this.fail(lostError()));
    stream.write(encodePreface());
    this.#sayAliveLater();
    this.#read().catch((error: unknown) => this.fail(error as Error));
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Resolves when the peer's side of the socket has it; rejects with the failure. */
  async send(type: FrameType, bytes?: Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure;
    const forget = this.#options.after(silenceLimitMs, () => this.fail(silentError("take")));
    try {
      await this.orLost(
        new Promise<void>((resolve, reject) => {
          this.#stream.write(encodeFrame(type, bytes), (error) => (error ? reject(lostError(error)) : resolve()));
        }),
      );
    } finally {
      forget();
    }
  }

  sendJson(type: FrameType, value: unknown): Promise<void> {
    return this.send(type, Buffer.from(JSON.stringify(value)));
  }

  /** The next frame; rejects with the failure once all that came before it is taken. */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame) {
        this.#wakeReader?.();
        return frame;
      }
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
    }
  }

  /** What the promise brings, or the failure if that comes first. */
  orLost<T>(promise: Promise<T>): Promise<T> {
    if (this.#failure) {
      promise.catch(() => {});
      return Promise.reject(this.#failure);
    }
    return new Promise((resolve, reject) => {
      this.#lostListeners.add(reject);
      promise.then(resolve, reject).finally(() => this.#lostListeners.delete(reject));
    });
  }

  fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#forgetAlive?.();
    this.#stream.destroy();
    for (const listener of [...this.#lostListeners]) listener(error);
    this.#wakeTaker?.();
    this.#wakeReader?.();
  }

  /** Says a last word, if it still can; nothing is heard any more. */
  end(type: FrameType, text = ""): void {
    if (this.#failure) return;
    const stream = this.#stream;
    const frame = encodeFrame(type, Buffer.from(text));
    this.#failure = new QemuError("the migration is over");
    this.#forgetAlive?.();
    // Closing with something unread behind it would take the last word away from the peer.
    stream.end(frame, () => this.#options.after(lastWordMs, () => stream.destroy()));
    for (const listener of [...this.#lostListeners]) listener(this.#failure);
    this.#wakeTaker?.();
    this.#wakeReader?.();
  }

  async #read(): Promise<void> {
    const reader = new FrameReader();
    const pieces = this.#stream[Symbol.asyncIterator]();
    for (;;) {
      const forget = this.#options.after(silenceLimitMs, () => this.fail(silentError("say")));
      const { value, done } = await pieces.next().finally(forget);
      if (done || this.#failure) return this.fail(lostError());
      for (const frame of reader.feed(value)) await this.#take(frame);
    }
  }

  async #take(frame: Frame): Promise<void> {
    if (frame.type === "alive" || (await this.#options.divert?.(frame))) return;
    // Whoever is at something else than reading has to hear why, and not that the connection broke.
    if (frame.type === "failed" || frame.type === "abort") return this.fail(new PeerGaveUp(frame.bytes.toString("utf8")));
    this.#waiting.push(frame);
    this.#wakeTaker?.();
    while (this.#waiting.length >= MAX_WAITING_FRAMES && !this.#failure) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #sayAliveLater(): void {
    this.#forgetAlive = this.#options.after(aliveIntervalMs, () => {
      if (this.#failure) return;
      this.#stream.write(encodeFrame("alive"));
      this.#sayAliveLater();
    });
  }
}

/** The frame that has to come now. Rejects with the failure. */
export async function expectFrame(connection: FrameConnection, type: FrameType): Promise<Buffer> {
  const frame = await connection.next();
  if (frame.type === type) return frame.bytes;
  throw new StreamError(`Frame ${frame.type} came where ${type} is due`);
}

/** The peer says that it gives up, and why. */
export class PeerGaveUp extends Error {}

const lostError = (cause?: Error): Error =>
  new QemuError(
    `Unable to read from socket: ${cause && "code" in cause && cause.code === "EPIPE" ? "Broken pipe" : "Connection reset by peer"}`,
  );

const silentError = (verb: string): Error =>
  new QemuError(`the other side of the migration did not ${verb} anything for ${silenceLimitMs / 1000} s`);
