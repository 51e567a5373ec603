import { Chardev } from "./chardev.ts";

/** Takes everything, says nothing. */
export class NullChardev extends Chardev {
  readonly filename = "null";
  readonly isConnected = true;

  write(): void {}

  protected async release(): Promise<void> {}
}
