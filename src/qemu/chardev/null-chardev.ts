import { Chardev } from "./chardev.ts";

/** Takes everything, says nothing. */
export class NullChardev extends Chardev {
  readonly filename = "null";
  readonly isConnected = true;

  write(): void {}

  async close(): Promise<void> {
    this.detach();
  }
}
