import { Chardev } from "../chardev/chardev.ts";

/** A character device whose peer is a test: what the monitor writes is kept, what the peer says waits while the monitor pauses. */
export class ToyChardev extends Chardev {
  readonly filename = "toy";
  isConnected = true;
  written = "";
  #isPaused = false;
  #waiting: Uint8Array[] = [];
  #listeners: (() => void)[] = [];

  get isPaused(): boolean {
    return this.#isPaused;
  }

  write(text: string): void {
    if (!this.isConnected) return;
    this.written += text;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  override pause(): void {
    this.#isPaused = true;
  }

  override resume(): void {
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
  }

  say(bytes: string | Uint8Array): void {
    this.#waiting.push(Buffer.from(bytes as string));
    this.#deliver();
  }

  /** Waits for a line that the monitor writes and takes everything up to its end. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.written);
      if (match) {
        const end = match.index + match[0].length;
        const text = this.written.slice(0, end);
        this.written = this.written.slice(end);
        return text;
      }
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  hangUp(): void {
    this.isConnected = false;
    this.#waiting = [];
    this.frontend?.closed();
  }

  connect(): void {
    this.isConnected = true;
    this.frontend?.opened();
  }

  protected async release(): Promise<void> {}

  #deliver(): void {
    while (!this.#isPaused && this.#waiting.length > 0) this.frontend?.received(this.#waiting.shift()!);
  }
}
