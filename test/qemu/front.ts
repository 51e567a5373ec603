import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Outcome, outcomeOf } from "../cli/sandbox.ts";
import { QmpClient } from "./qmp-client.ts";

const prompt = "(qemu) ";

/** A running front, its human monitor on its standard input and output. */
export class Front {
  readonly ended: Promise<Outcome>;
  #text = "";
  #onText: () => void = () => {};
  #end: Outcome | undefined;

  /** `base`: what its files have in common, its QMP socket and its pidfile. */
  constructor(
    private readonly child: ChildProcess,
    private readonly base: string,
  ) {
    child.stdout?.on("data", (chunk) => {
      this.#text += String(chunk);
      this.#onText();
    });
    this.ended = outcomeOf(child);
    void this.ended.then((end) => {
      this.#end = end;
      this.#onText();
    });
  }

  get pid(): number {
    return Number(readFileSync(`${this.base}.pid`, "utf8"));
  }

  /** What it printed up to the next prompt of the human monitor. */
  async prompted(): Promise<string> {
    while (!this.#text.endsWith(prompt)) {
      if (this.#end) throw new Error(`the front ended with ${this.#end.status}: ${this.#end.stderr}`);
      await new Promise<void>((resolve) => {
        this.#onText = resolve;
      });
    }
    const text = this.#text.slice(0, -prompt.length).replaceAll("\r\n", "\n");
    this.#text = "";
    return text;
  }

  /** A line for the human monitor; resolves with what it prints after the echo. */
  async type(line: string): Promise<string> {
    this.child.stdin?.write(`${line}\n`);
    const text = await this.prompted();
    return text.slice(text.indexOf("\n") + 1);
  }

  qmp(): Promise<QmpClient> {
    return QmpClient.connect(`${this.base}.qmp`);
  }

  async quit(): Promise<Outcome> {
    this.child.stdin?.write("quit\n");
    return this.ended;
  }
}
