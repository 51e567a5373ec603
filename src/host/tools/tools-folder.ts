import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { places } from "../places.ts";

/**
 * Where the real programs are: a folder a suite, made elsewhere and renamed into its place when it is whole, and a link `current` to the one
 * that programs use unless ADJUNCT_TOOLS_SUITE names another.
 *
 *     bookworm/usr/…          the unpacked packages, everything below usr as on a Debian with merged folders
 *     bookworm/qemu-s390x     the emulator
 *     bookworm/tools.json     what it is
 *     current                 a link to bookworm
 *     .lock, .new-…           held, and filled, by the one installation that goes on
 */
export interface InstalledSuite {
  readonly suite: string;
  /** Of s390-tools. */
  readonly version: string;
  readonly packages: number;
  readonly emulator: string;
  readonly isCurrent: boolean;
}

export interface ToolsPlaces {
  readonly folder: string;
  readonly lock: string;
  readonly current: string;
  readonly newPrefix: string;
  suite(name: string): string;
}

/** A suite's name becomes a folder's. */
export const suitePattern = /^[a-z][a-z0-9]{0,31}$/;

const descriptionFile = "tools.json";
const descriptionSchema = v.object({ version: v.string(), packages: v.number(), emulator: v.string() });

export type SuiteDescription = v.InferOutput<typeof descriptionSchema>;

export function toolsPlaces(folder = places().toolsFolder): ToolsPlaces {
  return {
    folder,
    lock: join(folder, ".lock"),
    current: join(folder, "current"),
    newPrefix: join(folder, ".new-"),
    suite: (name) => join(folder, name),
  };
}

/** A suite whose emulator went away with the machine's package counts as none. */
export function installedSuites({ folder, current, suite }: ToolsPlaces = toolsPlaces()): InstalledSuite[] {
  if (!existsSync(folder)) return [];
  const target = linkTarget(current);
  return readdirSync(folder)
    .filter((name) => suitePattern.test(name) && name !== "current")
    .sort()
    .flatMap((name) => {
      const description = readDescription(join(suite(name), descriptionFile));
      return description && existsSync(join(suite(name), "qemu-s390x"))
        ? [{ suite: name, ...description, isCurrent: name === target }]
        : [];
    });
}

export const descriptionText = (description: SuiteDescription): [file: string, text: string] => [
  descriptionFile,
  `${JSON.stringify(description, null, 2)}\n`,
];

/** In one step, so that a program that starts meanwhile finds the old or the new one. */
export function makeCurrent(suite: string, { current, newPrefix }: ToolsPlaces): void {
  const draft = `${newPrefix}current`;
  rmSync(draft, { force: true });
  symlinkSync(suite, draft);
  renameSync(draft, current);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function readDescription(path: string): SuiteDescription | undefined {
  try {
    return v.parse(descriptionSchema, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
