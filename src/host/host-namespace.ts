import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeLibvirtFolder } from "./libvirt-folder.ts";
import { packageRoot } from "./package-root.ts";
import type { SystemPlaces } from "./places.ts";
import { kernelFrame, type UeventProperties, udevFrame } from "./uevents/uevent-frames.ts";

/**
 * The mount and network namespaces of one Linux, host or guest, made once and held by a small process that ends with the host, however
 * that ends: its input is a pipe from us. All programs of a Linux are in the same namespaces, as on one Linux: they share /dev, /run and the network.
 */
export interface HostNamespace {
  /** The process that holds them. */
  readonly pid: number;
  /** What this machine could not give, one sentence each. */
  readonly problems: readonly string[];
  /** Tells the programs in it of a uevent, after its device has come to or gone from /dev; resolves when it is sent. */
  sendUevent(properties: UeventProperties): Promise<void>;
  /** Empties /dev of devices of the Linux that was; resolves when it is done. */
  forgetDevices(): Promise<void>;
  close(): Promise<void>;
}

/** mdevctl before 1.3 ends when the folders of its callouts are missing. */
const etcFolders = ["mdevctl.d/scripts.d/callouts", "mdevctl.d/scripts.d/notifiers", "udev/rules.d"];

export interface HostNamespaceOptions {
  /** The folder of all hosts' sockets, which stays reachable. */
  readonly run: string;
  /** Of libvirt's daemon, which starts with the first client that comes to its socket and ends with the namespaces. */
  readonly environment: NodeJS.ProcessEnv;
}

/** The tree is mounted already. Rejects with what the script said. */
export async function createHostNamespace(places: SystemPlaces, { run, environment }: HostNamespaceOptions): Promise<HostNamespace> {
  mkdirSync(places.namespace, { recursive: true, mode: 0o700 });
  for (const folder of etcFolders) mkdirSync(join(places.etc, folder), { recursive: true, mode: 0o700 });
  makeLibvirtFolder(places.libvirt);
  const script = join(packageRoot, "scripts/host-namespace.sh");
  const words = [script, places.sys, places.namespace, places.etc, places.libvirt, run, ...(places.dev === undefined ? [] : [places.dev])];
  const holder = spawn("unshare", ["--mount", "--net", "--propagation", "slave", "sh", ...words], {
    stdio: ["pipe", "pipe", "pipe"],
    env: environment,
  });
  // What starts libvirt's daemon and ends it has the same output, so that it is waited for.
  const ended = new Promise<void>((resolve) => holder.once("close", () => resolve()));
  const undone: (() => void)[] = [];
  let hasEnded = false;
  holder.once("exit", () => {
    hasEnded = true;
    for (const resolve of undone.splice(0)) resolve();
  });
  const problems = await readProblems(holder, () => undone.shift()?.());
  rmSync(places.libvirtSocket, { force: true });
  symlinkSync(`/proc/${holder.pid}/root/run/libvirt/libvirt-sock`, places.libvirtSocket);
  const listens = !problems.some((problem) => problem.startsWith("perl "));
  const ask = (line: string): Promise<void> => {
    if (!listens || hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      undone.push(resolve);
      holder.stdin?.write(`${line}\n`);
    });
  };
  return {
    pid: holder.pid ?? 0,
    problems,
    sendUevent(properties) {
      const node = nodeLine(properties);
      if (node !== undefined) void ask(node);
      return ask(`tell ${udevFrame(properties).toString("hex")} ${kernelFrame(properties).toString("hex")}`);
    },
    forgetDevices: () => ask("clear"),
    async close() {
      holder.stdin?.end();
      await ended;
    },
  };
}

/** Subsystems whose nodes are in /dev. */
const nodeModes: Readonly<Record<string, string>> = { misc: "666", zcrypt: "600" };

/** What keeps /dev true, for scripts/keep-devices.pl; undefined for an event that changes nothing there. */
function nodeLine(properties: UeventProperties): string | undefined {
  const { ACTION: action, SUBSYSTEM: subsystem = "", MAJOR: major, MINOR: minor, DEVNAME: name } = Object.fromEntries(properties);
  const mode = nodeModes[subsystem];
  if (mode === undefined || name === undefined || major === undefined || minor === undefined) return undefined;
  const hexName = Buffer.from(name).toString("hex");
  if (action === "add") return `add ${hexName} ${major} ${minor} ${mode}`;
  return action === "remove" ? `remove ${hexName}` : undefined;
}

async function readProblems(holder: ChildProcess, onDone: () => void): Promise<string[]> {
  const problems: string[] = [];
  let complaint = "";
  holder.stdin?.on("error", () => {});
  holder.stderr?.on("data", (chunk) => {
    complaint += String(chunk);
  });
  await new Promise<void>((resolve, reject) => {
    holder.once("error", (error) => reject(new Error(`unshare does not run: ${error.message} (package util-linux)`)));
    holder.once("exit", (status) => reject(new Error(`the host's namespaces cannot be made (status ${status}): ${complaint.trim()}`)));
    createInterface({ input: holder.stdout! }).on("line", (line) => {
      if (line === "done") onDone();
      else if (line === "ready") resolve();
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
    // Our own user is its root already.
    ...(hasUserNamespace ? [`--user=/proc/${pid}/ns/user`, "--preserve-credentials"] : []),
    `--mount=/proc/${pid}/ns/mnt`,
    ...(network === "own" ? [`--net=/proc/${pid}/ns/net`] : []),
    "sh",
    "-c",
    'cd "$1" 2>/dev/null; shift; command -v -- "$1" >/dev/null || { echo "adjunct: $1: command not found" >&2; exit 127; }; exec "$@"',
    "sh",
    workingDirectory,
  ];
}
