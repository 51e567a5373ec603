import { createInterface } from "node:readline";
import { ControlRefusal } from "../host/control-client.ts";
import { errnoText } from "../sysfs/errno-text.ts";
import type { Output } from "./command.ts";
import { dmesg } from "./host-programs/dmesg.ts";
import type { HostProgram } from "./host-programs/host-program.ts";
import { lsmod } from "./host-programs/lsmod.ts";
import type { LinuxClient } from "./linux-client.ts";
import { entryLine, listedEntry } from "./listed-entry.ts";

const help = ["cat PATH", "echo TEXT > PATH", "ls PATH", "cd PATH", "pwd", "lsmod", "dmesg", "help", "exit [STATUS]"];
/** Those that are programs of a mounted host as well. */
const programs: Readonly<Record<string, HostProgram>> = { lsmod, dmesg };

/** A prompt for a host without a mount: cat, echo, ls and the like on its tree, as a shell would have them. */
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
    await session.run(line);
    if (session.hasEnded) break;
    lines.setPrompt(`${name}:${session.folder}# `);
    lines.prompt();
  }
  lines.close();
  return session.status;
}

/** A shell's for a command that there is not. */
const notFoundStatus = 127;
/** A shell's for wrong words of its own commands. */
const usageStatus = 2;

class Prompt {
  folder = "/sys";
  hasEnded = false;
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
      this.status = await this.#execute(command);
    } catch (error) {
      if (!(error instanceof ControlRefusal)) throw error;
      this.output.note(`${command.program}: ${command.target ?? command.words.join(" ")}: ${errnoText(error.code) ?? error.message}`);
      this.status = 1;
    }
  }

  async #execute({ program, words, target }: PromptCommand): Promise<number> {
    const hostProgram = Object.hasOwn(programs, program) ? programs[program] : undefined;
    if (hostProgram) return hostProgram(words, this.linux, this.output);
    switch (program) {
      case "exit":
      case "quit":
        return this.#exit(words[0]);
      case "help":
        this.output.print(help.join("\n"));
        return 0;
      case "pwd":
        this.output.print(this.folder);
        return 0;
      case "cat":
        for (const word of words) this.output.print(String(await this.linux.ask("read", { path: this.#path(word) })).replace(/\n$/, ""));
        return 0;
      case "echo":
        if (target === undefined) this.output.print(words.join(" "));
        else await this.linux.ask("write", { path: this.#path(target), data: `${words.join(" ")}\n` });
        return 0;
      case "ls": {
        const folder = words.find((word) => !word.startsWith("-")) ?? ".";
        const entries = (await this.linux.ask("list", { path: this.#path(folder) })) as string[];
        for (const entry of entries) this.output.print(entryLine(listedEntry(entry)));
        return 0;
      }
      case "cd": {
        const path = this.#path(words[0] ?? "/sys");
        await this.linux.ask("list", { path });
        this.folder = path;
        return 0;
      }
      default:
        this.output.note(`${program}: here is only ${help.join(", ")}`);
        return notFoundStatus;
    }
  }

  /** Without a status that of the last line. */
  #exit(word: string | undefined): number {
    if (word !== undefined && !/^\d+$/.test(word)) {
      this.output.note(`exit: ${word}: numeric argument required`);
      return usageStatus;
    }
    this.hasEnded = true;
    return word === undefined ? this.status : Number(word) & 0xff;
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
