import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { detachMountsBelow } from "./mount-table.ts";
import { launcher, packageRoot } from "./package-root.ts";
import type { HostPlaces } from "./places.ts";
import { makeS390xPrograms } from "./tools/s390x-programs.ts";

/** What a running host says of itself, for those who find its folder. */
export interface HostDescription {
  readonly name: string;
  readonly pid: number;
  /** When its Linux started: zero of its kernel log's time. */
  readonly bootedAt: string;
  readonly kernel: string;
  readonly release: string;
  readonly isMounted: boolean;
  readonly mount: string | null;
  readonly controlSocket: string;
  /** The process whose namespaces programs enter; null without a mount. */
  readonly namespacePid: number | null;
  readonly hasUserNamespace: boolean;
  readonly programs: string;
}

/** Empties a host's folder of what a killed process left. The host's lock must be held. */
export function clearHostFolder(places: HostPlaces): void {
  detachMountsBelow(places.folder);
  rmSync(places.folder, { recursive: true, force: true });
}

export function makeHostFolder(places: HostPlaces): void {
  mkdirSync(places.folder, { mode: 0o700 });
  mkdirSync(places.mount, { mode: 0o700 });
  mkdirSync(places.state, { recursive: true, mode: 0o700 });
  chmodSync(places.state, 0o700);
}

export function describeHost(places: HostPlaces, description: HostDescription): void {
  const draft = `${places.description}.new`;
  writeFileSync(draft, `${JSON.stringify(description, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, places.description);
}

/** Undefined where no host got so far. */
export function readHostDescription(places: HostPlaces): HostDescription | undefined {
  try {
    return JSON.parse(readFileSync(places.description, "utf8")) as HostDescription;
  } catch {
    return undefined;
  }
}

/** The folder for programs that take another root, such as mdevctl with MDEVCTL_ENV_ROOT. */
export function makeRootFolder(places: HostPlaces): void {
  mkdirSync(join(places.root, "etc"), { recursive: true, mode: 0o700 });
  mkdirSync(join(places.root, "usr/lib"), { recursive: true, mode: 0o700 });
  symlinkSync("../mount/host", join(places.root, "sys"));
  symlinkSync("/usr/lib/mdevctl", join(places.root, "usr/lib/mdevctl"));
  mkdirSync(join(places.etc, "mdevctl.d"), { recursive: true, mode: 0o700 });
  symlinkSync(join(places.etc, "mdevctl.d"), join(places.root, "etc/mdevctl.d"));
}

const hostPrograms = ["modprobe", "rmmod", "lsmod", "dmesg", "qemu-system-s390x"] as const;

/** The programs that act on a Linux of ours instead of the machine: each starts one small client of the control socket. And adjunct itself. */
export function makePrograms(folder: string, controlSocket: string, guest = ""): void {
  mkdirSync(folder, { mode: 0o700 });
  const client = join(packageRoot, "dist/cli/host-programs/main.js");
  for (const program of hostPrograms) {
    const words = [process.execPath, client, program, controlSocket, guest].map(quoted).join(" ");
    writeFileSync(join(folder, program), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  // A link: adjunct calls itself by this name where it finds itself on PATH.
  symlinkSync(launcher, join(folder, "adjunct"));
  makeS390xPrograms(folder);
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
