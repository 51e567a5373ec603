import { createInterface } from "node:readline";
import { ControlRefusal } from "../host/control-client.ts";
import { errnoText } from "../sysfs/errno-text.ts";
import type { Output } from "./command.ts";
import type { LinuxClient } from "./linux-client.ts";

const help = ["cat PATH", "echo TEXT > PATH", "ls PATH", "cd PATH", "exit"];

/** A prompt for a host without a mount: cat, echo and ls on its tree, as a shell would have them. */
export async function runPrompt(name: string, linux: LinuxClient, output: Output): Promise<number> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: `${name}:/sys# `,
    terminal: process.stdin.isTTY === true,
  });
  const session = new Prompt(linux, output);
  void linux.client.closed.then(() => lines.close());
  output.note(`${name} has no mount, so this is a small prompt and no shell: ${help.join(", ")}`);
  lines.prompt();
  for await (const line of lines) {
    if (["exit", "quit"].includes(line.trim())) break;
    await session.run(line);
    lines.setPrompt(`${name}:${session.folder}# `);
    lines.prompt();
  }
  lines.close();
  return session.status;
}

class Prompt {
  folder = "/sys";
  /** Of the last line, as a shell's $?. */
  status = 0;

  constructor(
    private readonly linux: LinuxClient,
    private readonly output: Output,
  ) {}

  async run(line: string): Promise<void> {
    const command = parse(line);
    if (command.program === "") return;
    try {
      await this.#execute(command);
      this.status = 0;
    } catch (error) {
      if (!(error instanceof ControlRefusal)) throw error;
      this.output.note(`${command.program}: ${command.target ?? command.words.join(" ")}: ${errnoText(error.code) ?? error.message}`);
      this.status = 1;
    }
  }

  async #execute({ program, words, target }: PromptCommand): Promise<void> {
    switch (program) {
      case "cat":
        for (const word of words) this.output.print(String(await this.linux.ask("read", { path: this.#path(word) })).replace(/\n$/, ""));
        return;
      case "echo":
        if (target === undefined) this.output.print(words.join(" "));
        else await this.linux.ask("write", { path: this.#path(target), data: `${words.join(" ")}\n` });
        return;
      case "ls": {
        const entries = (await this.linux.ask("list", { path: this.#path(words[0] ?? ".") })) as string[];
        for (const entry of entries) this.output.print(entry);
        return;
      }
      case "cd": {
        const path = this.#path(words[0] ?? "/sys");
        await this.linux.ask("list", { path });
        this.folder = path;
        return;
      }
      default:
        this.output.note(`${program}: here is only ${help.join(", ")}`);
    }
  }

  #path(word: string): string {
    return new URL(word, `file://${this.folder}/`).pathname.replace(/(?<=.)\/$/, "");
  }
}

interface PromptCommand {
  readonly program: string;
  readonly words: readonly string[];
  /** Behind `>`. */
  readonly target: string | undefined;
}

/** Words apart at blanks, quotes kept together, `> PATH` at the end. */
function parse(line: string): PromptCommand {
  const [before = "", target] = line.split(/>(?=[^>]*$)/);
  const words = [...before.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
  return { program: words[0] ?? "", words: words.slice(1), target: target?.trim() };
}
