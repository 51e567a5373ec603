import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { packageRoot } from "./package-root.ts";
import type { HostPlaces } from "./places.ts";

/**
 * The mount and network namespaces of one host, made once and held by a small process that ends with the host, however that ends: its
 * input is a pipe from us. All programs of a host are in the same namespaces, as on one Linux: they share /dev, /run and the network.
 */
export interface HostNamespace {
  /** The process that holds them. */
  readonly pid: number;
  /** What this machine could not give, one sentence each. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** The tree is mounted already. Rejects with what the script said. */
export async function createHostNamespace(places: HostPlaces): Promise<HostNamespace> {
  mkdirSync(places.namespace, { recursive: true, mode: 0o700 });
  for (const folder of ["mdevctl.d", "udev/rules.d"]) mkdirSync(join(places.etc, folder), { recursive: true, mode: 0o700 });
  const script = join(packageRoot, "scripts/host-namespace.sh");
  const holder = spawn(
    "unshare",
    ["--mount", "--net", "--propagation", "slave", "sh", script, places.sys, places.namespace, places.etc, dirname(places.folder)],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const ended = new Promise<void>((resolve) => {
    holder.once("exit", () => resolve());
    holder.once("error", () => resolve());
  });
  const problems = await readProblems(holder);
  return {
    pid: holder.pid ?? 0,
    problems,
    async close() {
      holder.stdin?.end();
      await ended;
    },
  };
}

async function readProblems(holder: ChildProcess): Promise<string[]> {
  const problems: string[] = [];
  let complaint = "";
  holder.stderr?.on("data", (chunk) => {
    complaint += String(chunk);
  });
  await new Promise<void>((resolve, reject) => {
    holder.once("error", (error) => reject(new Error(`unshare does not run: ${error.message} (package util-linux)`)));
    holder.once("exit", (status) => reject(new Error(`the host's namespaces cannot be made (status ${status}): ${complaint.trim()}`)));
    createInterface({ input: holder.stdout! }).on("line", (line) => {
      if (line === "ready") resolve();
      else if (line.startsWith("problem ")) problems.push(line.slice("problem ".length));
    });
  });
  return problems;
}

/** How to enter: the words to put before a command. `workingDirectory` is kept where it exists inside. */
export function enterNamespaceCommand(options: {
  readonly pid: number;
  readonly network: "own" | "host";
  readonly hasUserNamespace: boolean;
  readonly workingDirectory: string;
}): string[] {
  const { pid, network, hasUserNamespace, workingDirectory } = options;
  return [
    "nsenter",
    ...(hasUserNamespace ? [`--user=/proc/${pid}/ns/user`] : []),
    `--mount=/proc/${pid}/ns/mnt`,
    ...(network === "own" ? [`--net=/proc/${pid}/ns/net`] : []),
    "sh",
    "-c",
    'cd "$1" 2>/dev/null; shift; command -v -- "$1" >/dev/null || { echo "adjunct: $1: command not found" >&2; exit 127; }; exec "$@"',
    "sh",
    workingDirectory,
  ];
}
