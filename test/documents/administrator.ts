import { outcome, type TestHost } from "../support/test-host.ts";
import { expand } from "./steps.ts";

export interface Printed {
  readonly output: readonly string[];
  readonly errno: string | undefined;
}

/** Somebody at the host's console who knows cd, echo, cat, ls, uuidgen and dmesg. */
export class Administrator {
  #directory = "/";
  #made = 0;

  constructor(readonly host: TestHost) {}

  type(command: string): Printed {
    const [words, target] = splitRedirection(expand(command));
    const [name = "", ...operands] = words.split(/ +/);
    if (target !== undefined) return this.#write(target, `${this.#textOf(name, operands)}`);
    switch (name) {
      case "cd":
        this.#directory = this.#path(operands[0] ?? "/");
        return failing(this.host.run(() => this.host.names(this.#directory)));
      case "cat":
        return this.#print(() => operands.map((file) => this.host.read(this.#path(file))).join(""));
      case "ls":
        return this.#print(() =>
          this.host
            .names(this.#path(operands[0] ?? "."))
            .map((entry) => `${entry}\n`)
            .join(""),
        );
      case "dmesg":
        return { output: this.#tail(words), errno: undefined };
      default:
        throw new Error(`the administrator does not know ${command}`);
    }
  }

  /** What happens to the host from outside. */
  act(action: string): Printed {
    const [what = "", ...operands] = expand(action).split(" ");
    const { host } = this;
    switch (what) {
      case "start":
        return failing(host.startGuest(operands[0] ?? "", operands[1] ?? ""));
      case "stop":
        return failing(host.stopGuest(operands[0] ?? ""));
      case "apcb":
        return { output: host.apcb(operands[0] ?? ""), errno: undefined };
      case "card":
        if (operands[0] === "add") host.addAdapter(Number(operands[1]), operands[2] ?? "");
        else host.hardware((machine) => machine.removeAdapter(Number(operands[1])));
        return failing("done");
      case "usage-domain":
        host.hardware((machine) => machine.setUsageDomain(Number(operands[1]), operands[0] === "add"));
        return failing("done");
      default:
        throw new Error(`nobody knows how to ${action}`);
    }
  }

  #textOf(name: string, operands: readonly string[]): string {
    if (name === "uuidgen") return `00000000-0000-4000-8000-${String(++this.#made).padStart(12, "0")}\n`;
    if (name !== "echo") throw new Error(`the administrator does not know ${name}`);
    return `${operands.join(" ").replaceAll('"', "")}\n`;
  }

  #write(target: string, text: string): Printed {
    return failing(this.host.write(this.#path(target), text));
  }

  #print(read: () => string): Printed {
    const text = outcome(read);
    if (/^E[A-Z]+$/.test(text)) return failing(text);
    return { output: text === "" ? [] : text.replace(/\n$/, "").split("\n"), errno: undefined };
  }

  #tail(command: string): string[] {
    const count = Number(/\| tail -n (\d+)$/.exec(command)?.[1] ?? "0");
    return this.host.host.linux.log.lines.map(({ text }) => text).slice(-count);
  }

  #path(path: string): string {
    if (path.startsWith("/")) return path;
    return path === "." ? this.#directory : `${this.#directory}/${path}`;
  }
}

const failing = (answer: string): Printed => ({ output: [], errno: answer === "done" ? undefined : answer });

function splitRedirection(command: string): [string, string | undefined] {
  const [words = "", target] = command.split(/ *> */);
  return [words.trim(), target];
}
