import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { describe, expect, test } from "vitest";
import { connectControl } from "../../src/host/control-client.ts";
import { adapterProfileByName as profileOf } from "../../src/machine/adapter-profile.ts";
import { needsMount, type Sandbox, useSandbox } from "../cli/sandbox.ts";
import { expand, parseSteps, type Step, type StepFile } from "../documents/steps.ts";

/** The documents' commands as an administrator types them: in a real shell, where the host's tree is /sys, with echo, cat and ls. */
const folder = new URL("../documents/steps/", import.meta.url);
const sandbox = useSandbox();
needsMount();

describe.each(readdirSync(folder).sort())("%s", (name) => {
  const file = parseSteps(readFileSync(new URL(name, folder), "utf8"));

  test.each(newestAndOldest(file))("each command does in a shell of a Linux %s host what the document says", async (kernel) => {
    const { name: host, controlSocket } = await sandbox.current.up(sandbox.current.file("host.yaml", configuration(file, kernel)));
    const client = await connectControl(controlSocket);
    const shell = new Shell(sandbox.current, host);
    try {
      for (const step of file.steps) {
        const printed = step.kind === "command" ? await shell.type(expand(step.text)) : await act(client, expand(step.text));
        expect({ line: step.line, text: step.text, ...printed }).toEqual(expected(step));
      }
    } finally {
      shell.close();
      client.close();
    }
    expect((await sandbox.current.adjunct("down", host)).status).toBe(0);
  });
});

function newestAndOldest({ kernels }: StepFile): string[] {
  return [...new Set([kernels[0] ?? "", kernels.at(-1) ?? ""])];
}

const expected = ({ line, text, output, errno }: Step) => ({ line, text, output: output.map(expand), errno });

function configuration({ commandLine, adapters, usage, control }: StepFile, kernel: string): string {
  const cards = Object.entries(adapters).map(([id, type]) => `    ${id}: { type: ${type} }`);
  return [
    "name: lpar1",
    `kernel: "${kernel}"`,
    `cmdline: "${commandLine}"`,
    "machine:",
    "  max-adapter: 255",
    "  max-domain: 255",
    cards.length === 0 ? "  adapters: {}" : `  adapters:\n${cards.join("\n")}`,
    `  usage-domains: [${usage.join(", ")}]`,
    `  control-domains: [${control.join(", ")}]`,
  ].join("\n");
}

interface Printed {
  readonly output: readonly string[];
  readonly errno: string | undefined;
}

class Shell {
  readonly #bash: ChildProcess;
  #text = "";
  #end: string | undefined;
  #onText: () => void = () => {};

  constructor(sandbox: Sandbox, host: string) {
    const launcher = new URL("../../bin/adjunct", import.meta.url).pathname;
    this.#bash = sandbox.spawn(process.execPath, [launcher, "exec", host, "--", "bash", "--norc"], { ...sandbox.environment, LC_ALL: "C" });
    for (const stream of [this.#bash.stdout, this.#bash.stderr]) {
      stream?.on("data", (chunk) => {
        this.#text += String(chunk);
        this.#onText();
      });
    }
    this.#bash.once("close", (status, signal) => {
      this.#end = `the shell ended: ${status ?? signal}`;
      this.#onText();
    });
  }

  /** Rejects with what the shell said if it ends instead. */
  async type(command: string): Promise<Printed> {
    const end = /\nend of command\n$/;
    this.#text = "\n";
    this.#bash.stdin?.write(`{ ${command}\n} 2>&1; echo 'end of command'\n`);
    while (!end.test(this.#text)) {
      if (this.#end !== undefined) throw new Error(`${command}: ${this.#end}: ${this.#text}`);
      await new Promise<void>((resolve) => {
        this.#onText = resolve;
      });
    }
    const lines = this.#text
      .replace(end, "")
      .split("\n")
      .filter((line) => line !== "");
    const failure = lines.map(errnoIn).find((code) => code !== undefined);
    return { output: lines.filter((line) => errnoIn(line) === undefined).map(withoutTime), errno: failure };
  }

  close(): void {
    this.#bash.stdin?.end("exit\n");
  }
}

/** `bash: line 3: echo: write error: Device or resource busy`, `cat: matrix: No such file or directory`. */
function errnoIn(line: string): string | undefined {
  const [, text] = /^(?:bash|cat|ls): .*: ([^:]+)$/.exec(line) ?? [];
  if (text === undefined) return undefined;
  const numbers = new Map([...getSystemErrorMap()].map(([number, [code]]) => [code, -number]));
  return (
    [...numbers.keys()].find((code) => descriptions[code] === text) ?? Object.keys(descriptions).find((code) => descriptions[code] === text)
  );
}

/** strerror(3) of the errnos that the documents speak of. */
const descriptions: Readonly<Record<string, string>> = {
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EBUSY: "Device or resource busy",
  EINVAL: "Invalid argument",
  ENODEV: "No such device",
  ENOENT: "No such file or directory",
  ERANGE: "Numerical result out of range",
};

const withoutTime = (line: string): string => line.replace(/^\[ *\d+\.\d+\] /, "");

/** What happens to the host from outside. */
async function act(client: { request(request: unknown): Promise<unknown> }, action: string): Promise<Printed> {
  const [what = "", first = "", second = "", third = ""] = action.split(" ");
  try {
    if (what === "start") {
      const { guests } = (await client.request({ do: "status" })) as Status;
      const features = { ap: true, apqci: true, apft: true, apqi: true };
      if (!guests.some(({ name }) => name === first)) await client.request({ do: "guest", action: "create", guest: first, features });
      const sysfsdev = `/sys/devices/vfio_ap/matrix/${second}`;
      const { errno } = (await client.request({ do: "guest", action: "plug", guest: first, sysfsdev })) as { errno?: string };
      return { output: [], errno };
    }
    if (what === "stop") await client.request({ do: "guest", action: "unplug", guest: first });
    else if (what === "apcb") return { output: (await guestQueues(client, first)) ?? [], errno: undefined };
    else if (what === "card" && first === "remove") await client.request({ do: "hw", action: "card remove", id: Number(second) });
    else if (what === "card") await client.request({ do: "hw", action: "card add", id: Number(second), profile: profileOf(third) });
    else await client.request({ do: "hw", action: `usage-domain ${first}`, id: Number(second) });
    return { output: [], errno: undefined };
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !(code in constants.errno)) throw error;
    return { output: [], errno: code };
  }
}

interface Status {
  readonly guests: readonly { readonly name: string; readonly apqns: readonly string[] }[];
}

async function guestQueues(client: { request(request: unknown): Promise<unknown> }, name: string): Promise<readonly string[] | undefined> {
  const { guests } = (await client.request({ do: "status" })) as Status;
  return guests.find((guest) => guest.name === name)?.apqns;
}
