import type { Chardev, ChardevFrontend } from "../../chardev/chardev.ts";
import { qemuVersionText } from "../qemu-version.ts";
import type { QmpContext } from "../qmp/qmp-command.ts";
import { completions } from "./completions.ts";
import { Readline } from "./readline.ts";
import { runHumanCommand } from "./run-human-command.ts";

/**
 * Above this no key is looked at until the client has read: the echo of one line of 4 KiB, typed key by key, is 32 MiB. Stops a client that
 * only types.
 */
const MAX_UNREAD_BYTES = 64 << 10;

/** One human monitor: a prompt, a line, what it prints, a prompt. Keys that are typed ahead wait. */
export class HmpSession implements ChardevFrontend {
  readonly #chardev: Chardev;
  readonly #context: QmpContext;
  readonly #readline: Readline;
  #input: Uint8Array = new Uint8Array();
  #isBusy = false;
  #client = 0;

  constructor(chardev: Chardev, context: QmpContext) {
    this.#chardev = chardev;
    this.#context = context;
    this.#readline = new Readline({
      prompt: "(qemu) ",
      write: (text) => chardev.write(text.replaceAll("\n", "\r\n")),
      complete: (line) => completions(context.emulator, context.state, line),
    });
  }

  opened(): void {
    this.#client++;
    this.#readline.restart();
    this.#chardev.write(`QEMU ${qemuVersionText} monitor - type 'help' for more information\r\n`);
    if (!this.#isBusy) this.#readline.showPrompt();
  }

  received(bytes: Uint8Array): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
    this.#proceed();
  }

  drained(): void {
    this.#proceed();
  }

  closed(): void {
    this.#client++;
    this.#input = new Uint8Array();
    this.#chardev.resume();
  }

  settled(): Promise<void> {
    return this.#context.emulator.exclusively(async () => {});
  }

  #proceed(): void {
    let taken = 0;
    while (taken < this.#input.length && !this.#isBusy && this.#chardev.unsentBytes <= MAX_UNREAD_BYTES) {
      const line = this.#readline.take(this.#input[taken]!);
      taken++;
      if (line !== undefined) this.#run(line);
    }
    this.#input = this.#input.subarray(taken);
    if (this.#input.length > 0 || this.#isBusy) this.#chardev.pause();
    else this.#chardev.resume();
  }

  #run(line: string): void {
    if (line.trim() === "") return this.#readline.showPrompt();
    this.#isBusy = true;
    const client = this.#client;
    let suspended: Promise<string> | undefined;
    const suspend = (until: Promise<string>): void => {
      suspended = until;
    };
    this.#context.emulator
      .exclusively(() => this.#print(line, client, suspend))
      .then(async () => suspended && this.#write(await suspended, client))
      .catch((error: unknown) => this.#context.emulator.options.report?.(`error: ${(error as Error).stack}`))
      .finally(() => {
        this.#isBusy = false;
        if (!this.#context.emulator.hasEnded) this.#readline.showPrompt();
        this.#proceed();
      });
  }

  async #print(line: string, client: number, suspend: (until: Promise<string>) => void): Promise<void> {
    const text = await runHumanCommand(this.#context, line, { history: this.#readline.history, suspend });
    this.#write(text, client);
  }

  #write(text: string, client: number): void {
    if (client === this.#client) this.#chardev.write(text.replaceAll(/\r?\n/g, "\r\n"));
  }
}
