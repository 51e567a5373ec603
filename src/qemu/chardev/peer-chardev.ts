import type { Readable, Writable } from "node:stream";
import { Chardev } from "./chardev.ts";
import { Peer } from "./peer.ts";

/** A character device with a peer that comes and goes. */
export abstract class PeerChardev extends Chardev {
  #peer: Peer | undefined;
  #isPaused = false;

  get isConnected(): boolean {
    return this.#peer !== undefined;
  }

  override get unsentBytes(): number {
    return this.#peer?.unsentBytes ?? 0;
  }

  write(text: string): void {
    this.#peer?.write(text);
  }

  override pause(): void {
    this.#isPaused = true;
    this.#peer?.pause();
  }

  override resume(): void {
    this.#isPaused = false;
    this.#peer?.resume();
  }

  protected connect(streams: { readonly input?: Readable; readonly output?: Writable }): void {
    const peer = new Peer(streams, {
      received: (bytes) => this.frontend?.received(bytes),
      drained: () => this.frontend?.drained(),
      gone: () => {
        this.#peer = undefined;
        this.frontend?.closed();
        this.disconnected();
      },
    });
    this.#peer = peer;
    if (this.#isPaused) peer.pause();
    this.frontend?.opened();
  }

  /** The peer is gone, and the frontend knows it. */
  protected disconnected(): void {}

  protected disconnect(): void {
    this.#peer?.leave();
  }
}
