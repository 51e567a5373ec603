/**
 * What an administrator types, as the documents have it, kept as data in steps/*.txt so that it can be run in process and in a shell.
 *
 *     kernel: 6.0, 6.1           the kernels that a file holds for (first lines: kernel, cmdline, adapters, usage, control)
 *     # text                     a remark
 *     $ echo 5 > assign_adapter  a command, as typed; $uuid1 to $uuid4 stand for the identifiers of `uuidOf`
 *     05.0004                    a line that it prints
 *     ! EADDRINUSE               it fails with this errno instead
 *     @ start guest1 $uuid1      what is not typed on the host: start NAME UUID, stop NAME, card add ID TYPE, card remove ID,
 *                                usage-domain add ID, apcb NAME (prints the queues that the guest's control block has)
 */
export interface Step {
  /** Counted from 1. */
  readonly line: number;
  readonly kind: "command" | "action";
  readonly text: string;
  readonly output: readonly string[];
  readonly errno: string | undefined;
}

export interface StepFile {
  readonly kernels: readonly string[];
  readonly commandLine: string;
  readonly adapters: Readonly<Record<number, string>>;
  readonly usage: readonly number[];
  readonly control: readonly number[];
  readonly steps: readonly Step[];
}

const identifiers: Readonly<Record<string, string>> = {
  uuid1: "62177883-f1bb-47f0-914d-32a22e3a8804",
  uuid2: "cef03c3c-903d-4ecc-9a83-40694cb8aee4",
  uuid3: "1a8a3a46-3bd7-4d12-8a3c-3e7a2c0e2f13",
  uuid4: "5f0ce3b1-7a31-4c0b-9d0e-b5ad4ac7a4f4",
};

/** A text with its `$uuid1` and so on replaced. */
export const expand = (text: string): string => text.replace(/\$(uuid\d)/g, (all, name: string) => identifiers[name] ?? all);

export function parseSteps(text: string): StepFile {
  const header = new Map<string, string>();
  const steps: { line: number; kind: Step["kind"]; text: string; output: string[]; errno: string | undefined }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const setting = steps.length === 0 ? /^(\w+): (.*)$/.exec(line) : null;
    if (setting) header.set(setting[1] ?? "", setting[2] ?? "");
    else if (line === "" || line.startsWith("#")) continue;
    else if (line.startsWith("$ ") || line.startsWith("@ ")) {
      const kind = line.startsWith("$") ? "command" : "action";
      steps.push({ line: index + 1, kind, text: line.slice(2), output: [], errno: undefined });
    } else {
      const step = steps.at(-1);
      if (!step) throw new Error(`line ${index + 1}: no step before ${line}`);
      if (line.startsWith("! ")) step.errno = line.slice(2);
      else step.output.push(line);
    }
  }
  const words = (name: string): string[] => (header.get(name) ?? "").split(/,? +/).filter((word) => word !== "");
  return {
    kernels: words("kernel"),
    commandLine: header.get("cmdline") ?? "",
    adapters: Object.fromEntries(words("adapters").map((word) => word.split("="))),
    usage: words("usage").map(Number),
    control: words("control").map(Number),
    steps,
  };
}
