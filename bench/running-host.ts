import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A host that a benchmark brings up through the command line, with folders of its own, and takes down again. */
export interface RunningHost {
  readonly name: string;
  /** The host's /sys. */
  readonly sys: string;
  /** The folder of its sockets. */
  readonly folder: string;
  /** From the start of the command to the mounted and scanned tree. */
  readonly upMs: number;
  /** All processes of the host together. */
  memoryBytes(): number;
  adjunct(...words: string[]): string;
  down(): void;
}

const adjunct = join(import.meta.dirname, "../bin/adjunct");

export interface HostShape {
  readonly adapters: number;
  readonly domains: number;
  /** Further lines of the configuration. */
  readonly more?: string;
}

/** `prefix` goes before the command, such as `taskset -c 0`. */
export function bringUp(folder: string, name: string, { adapters, domains, more = "" }: HostShape, prefix: readonly string[]): RunningHost {
  const file = join(folder, `${name}.yaml`);
  const adapterLines = Array.from({ length: adapters }, (_, id) => `    ${id}: { type: CEX7C }`).join("\n");
  writeFileSync(
    file,
    `name: ${name}\nmachine:\n  max-adapter: 255\n  max-domain: 255\n  adapters:\n${adapterLines}\n  usage-domains: [${Array.from({ length: domains }, (_, id) => id).join(", ")}]\n${more}`,
  );
  const env = { ...process.env, ADJUNCT_RUN_DIR: join(folder, "run"), ADJUNCT_STATE_DIR: join(folder, "state") };
  const run = (words: readonly string[]): string => execFileSync(words[0]!, words.slice(1), { env, encoding: "utf8", maxBuffer: 1 << 28 });
  const start = performance.now();
  const description = JSON.parse(run([...prefix, adjunct, "up", file, "--detach", "--json"])) as { pid: number; mount: string };
  const upMs = performance.now() - start;
  return {
    name,
    sys: join(description.mount, "host"),
    folder: join(folder, "run", name),
    upMs,
    memoryBytes: () => residentBytes(description.pid),
    adjunct: (...words) => run([adjunct, ...words]),
    down: () => void run([adjunct, "down", name]),
  };
}

/** The process and all below it; a page that several share counts once in all. */
function residentBytes(pid: number): number {
  const parents = new Map(
    readdirSync("/proc")
      .filter((name) => /^[0-9]+$/.test(name))
      .map((name) => [Number(name), statusField(Number(name), "PPid")]),
  );
  const isBelow = (process: number): boolean =>
    process === pid || (parents.has(process) && process > 1 && isBelow(parents.get(process) ?? 0));
  let total = 0;
  for (const process of parents.keys()) if (isBelow(process)) total += proportionalBytes(process);
  return total;
}

function statusField(pid: number, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s+([0-9]+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function proportionalBytes(pid: number): number {
  return Number(/^Pss:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) * 1024;
}
