import type { Output } from "./command.ts";

/** Tells how something goes on: on a terminal one line that changes, elsewhere a line for each new text, both on stderr. */
export class ProgressLine {
  #last = "";

  constructor(
    private readonly output: Output,
    private readonly terminal: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
  ) {}

  /** One line that changes. */
  get isLine(): boolean {
    return this.terminal.isTTY;
  }

  show(text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    if (this.isLine) this.terminal.write(`\r\x1b[K${text}`);
    else this.output.note(text);
  }

  /** What comes next has the line for itself. */
  end(): void {
    if (this.isLine && this.#last !== "") this.terminal.write("\r\x1b[K");
    this.#last = "";
  }
}
