import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Outcome, Sandbox, whyNotMountable } from "../cli/sandbox.ts";
import { inDebianRoot, provideDebianRoot } from "./debian-root.ts";

/** Debian 12's, which the machine has, and Debian 13's, in a root of its own. */
export const mdevctls = ["1.2.0", "1.4.0"] as const;
export type Mdevctl = (typeof mdevctls)[number];

/** The folder of the callout that the tests bring. */
export const ownCallouts = join(import.meta.dirname, "callouts");

export interface MdevctlHost {
  readonly sandbox: Sandbox;
  /** The words that run a command on the host where this mdevctl is. */
  inside(mdevctl: Mdevctl, callouts?: string): string[];
  /** Runs a command line of a shell there. Without `callouts` mdevctl calls none. */
  run(mdevctl: Mdevctl, command: string, callouts?: string): Promise<Outcome>;
  /** What it prints, stderr first, and its exit status where that is not 0. */
  text(mdevctl: Mdevctl, command: string, callouts?: string): Promise<string>;
  /** Below it is what is /run with Debian 13. */
  readonly run13: string;
}

const prepareMs = 300_000;

/** One host for all tests of a file or of a `describe`. */
export function useMdevctlHost(name: string, configuration: string): MdevctlHost {
  let sandbox: Sandbox;
  let root: string | undefined;
  let reason = whyNotMountable();
  if (process.getuid?.() !== 0) reason ??= "only root can change the root folder of a program";
  if (!existsSync("/usr/bin/mdevctl")) reason ??= "mdevctl is not installed (package mdevctl)";
  const runFolder = (): string => join(sandbox.folder, "run13");

  beforeAll(async () => {
    if (reason !== undefined) return;
    try {
      root = provideDebianRoot("trixie");
    } catch (error) {
      reason = `Debian 13's packages cannot be had: ${(error as Error).message}`;
      return;
    }
    sandbox = new Sandbox();
    // mdevctl would print a stack trace, and its texts in another language.
    delete sandbox.environment.RUST_BACKTRACE;
    sandbox.environment.LC_ALL = "C";
    for (const folder of ["udev", "lock"]) mkdirSync(join(runFolder(), folder), { recursive: true });
    mkdirSync(join(sandbox.folder, "no-callouts"));
    // libudev listens only where this exists.
    writeFileSync(join(runFolder(), "udev/control"), "");
    await sandbox.up(sandbox.file(`${name}.yaml`, configuration));
  }, prepareMs);
  afterAll(() => sandbox?.close());
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });

  const inside = (mdevctl: Mdevctl, callouts = join(sandbox.folder, "no-callouts")): string[] => [
    "exec",
    name,
    "--",
    ...(mdevctl === "1.2.0" ? withCallouts(callouts) : inDebianRoot(root!, { run: runFolder(), callouts })),
  ];
  const run = (mdevctl: Mdevctl, command: string, callouts?: string): Promise<Outcome> =>
    sandbox.adjunct(...inside(mdevctl, callouts), "sh", "-c", command);
  return {
    get sandbox() {
      return sandbox;
    },
    get run13() {
      return runFolder();
    },
    inside,
    run,
    async text(mdevctl, command, callouts) {
      const { stdout, stderr, status } = await run(mdevctl, command, callouts);
      return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
    },
  };
}

/** Other callouts than the machine's, for one command. */
const withCallouts = (callouts: string): string[] => [
  "unshare",
  "--mount",
  "sh",
  "-ec",
  'mount --bind "$1" /etc/mdevctl.d/scripts.d/callouts; shift; exec "$@"',
  "sh",
  callouts,
];

/** Removes every mediated device of a host and every definition. */
export const forgetMdevs =
  'for device in /sys/bus/mdev/devices/*; do [ ! -e "$device" ] || echo 1 > "$device/remove"; done; rm -rf /etc/mdevctl.d/matrix';
