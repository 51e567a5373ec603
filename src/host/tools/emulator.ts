import { copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Refusal } from "../control-protocol.ts";
import type { PrivateApt } from "./private-apt.ts";
import { installedSuites, type ToolsPlaces } from "./tools-folder.ts";
import { unpack } from "./unpack-package.ts";

/** Its names: until Debian 12 the static one has a package of its own, later it is in qemu-user. */
const programs = ["qemu-s390x-static", "qemu-s390x"];
const packages = ["qemu-user-static", "qemu-user"];
/** The packages have one for each of some thirty processors. */
const otherEmulators = ["./usr/bin/qemu-[!s]*", "./usr/bin/qemu-s[!3]*"];

/**
 * Puts an emulator of s390x programs at `path`: the machine's own, that of another suite, or one from the packages of this suite for this machine's
 * processor, of which only this one file is kept. Returns where it comes from.
 */
export function provideEmulator(path: string, { apt, architecture, folder, tools }: EmulatorSources): string {
  const own = machineEmulator();
  if (own !== undefined) {
    symlinkSync(own, path);
    return own;
  }
  const other = installedSuites(tools)
    .map(({ suite }) => join(tools.suite(suite), "qemu-s390x"))
    .find(isFile);
  if (other !== undefined) {
    linkOrCopy(other, path);
    return `shared with ${dirname(other).split("/").at(-1)}`;
  }
  const unpacked = join(folder, "emulator");
  mkdirSync(unpacked);
  for (const name of packages) {
    if (apt.candidate(`${name}:${architecture}`) === undefined) continue;
    unpack(apt.download(`${name}:${architecture}`), unpacked, otherEmulators);
    const found = programs.map((program) => join(unpacked, "usr/bin", program)).find(isFile);
    if (found === undefined) continue;
    linkOrCopy(found, path);
    return `package ${name}`;
  }
  throw new Refusal("no emulator of s390x programs was found: as root, apt-get install qemu-user-static");
}

interface EmulatorSources {
  readonly apt: PrivateApt;
  /** Debian's word for this machine's processor. */
  readonly architecture: string;
  /** For files under way. */
  readonly folder: string;
  readonly tools: ToolsPlaces;
}

export function machineEmulator(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  const found = programs.flatMap((program) => folders.map((folder) => join(folder, program))).find((path) => existsSync(path));
  return found === undefined ? undefined : realpathSync(found);
}

const isFile = (path: string): boolean => existsSync(path) && lstatSync(path).isFile();

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
