import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Refusal } from "../control-protocol.ts";
import { runApt } from "./private-apt.ts";

/**
 * The machine's own sources of Debian's packages, with their mirror and keys, for any suite: the files that apt reads, copied, with the name of the
 * machine's suite replaced. So this package names no mirror.
 */
export function writeSourcesOf(suite: string, folder: string): void {
  const entries = machineEntries();
  const word = [suite, machineCodename(), ...aliases].find((name) => entries.some(({ release }) => baseOf(release) === name));
  if (word === undefined) {
    const found = [...new Set(entries.map(({ release }) => release))].join(", ") || "none";
    throw new Refusal(
      `this machine's apt has no sources of Debian (its releases: ${found}): add a Debian mirror to /etc/apt/sources.list.d`,
    );
  }
  mkdirSync(folder);
  const files = new Set(entries.filter(({ release }) => baseOf(release) === word).map(({ file }) => file));
  for (const file of files) {
    const text = readFileSync(file, "utf8").replace(new RegExp(`\\b${word}\\b`, "g"), suite);
    // A source that is bound to the machine's own processor would have nothing for another.
    writeFileSync(join(folder, basename(file)), text.replace(/^Architectures:.*\n/gim, "").replace(/\barch=[a-z0-9,-]+ ?/g, ""));
  }
}

/** Such as `bookworm`; empty where the system does not say. */
export function machineCodename(): string {
  try {
    return /^VERSION_CODENAME="?([a-z0-9]+)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** What a machine may call its suite instead of by its own name. */
const aliases = ["stable", "oldstable", "testing", "unstable", "sid"];

interface Entry {
  readonly file: string;
  readonly release: string;
}

function machineEntries(): Entry[] {
  const { stdout } = runApt("apt-get", ["indextargets", "--format", "$(SOURCESENTRY) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]);
  return stdout.split("\n").flatMap((line) => {
    const [, file, release] = /^(.+):\d+ (\S+) main$/.exec(line) ?? [];
    return file === undefined || release === undefined ? [] : [{ file, release }];
  });
}

const baseOf = (release: string): string => release.split(/[-/]/)[0] ?? release;
