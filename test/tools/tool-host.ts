import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { installTools } from "../../src/host/tools/install-tools.ts";
import { toolsPlaces } from "../../src/host/tools/tools-folder.ts";
import { type Outcome, projectRoot, Sandbox, whyNotMountable } from "../cli/sandbox.ts";

/** Two Debians' layouts of the tools: s390-tools 2.16 and 2.35. */
export const suites = ["bookworm", "trixie"] as const;
export type Suite = (typeof suites)[number];

/** Kept between test files and between runs. */
export const toolsFolder = process.env.ADJUNCT_TOOLS_DIR ?? join(projectRoot, "node_modules/.cache/adjunct-tools");

const installMs = 300_000;

export interface ToolHost {
  readonly sandbox: Sandbox;
  /** Runs a command line of a shell in the host, with the tools of a suite. */
  run(suite: Suite, command: string): Promise<Outcome>;
  /** What it prints, stderr first, and its exit status where that is not 0. */
  text(suite: Suite, command: string): Promise<string>;
}

/** One host for all tests of a file, with the tools of both suites. */
export function useToolHost(name: string, configuration: string): ToolHost {
  const reason = whyNotMountable();
  let sandbox: Sandbox;
  beforeAll(async () => {
    if (reason !== undefined) return;
    for (const suite of suites) installTools(suite, () => {}, toolsPlaces(toolsFolder));
    sandbox = new Sandbox();
    sandbox.environment.ADJUNCT_TOOLS_DIR = toolsFolder;
    await sandbox.up(sandbox.file(`${name}.yaml`, configuration));
  }, installMs);
  afterAll(() => sandbox?.close());
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  const run = (suite: Suite, command: string): Promise<Outcome> =>
    sandbox.adjunct("exec", name, "--", "env", `ADJUNCT_TOOLS_SUITE=${suite}`, "sh", "-c", command);
  return {
    get sandbox() {
      return sandbox;
    },
    run,
    async text(suite, command) {
      const { stdout, stderr, status } = await run(suite, command);
      return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
    },
  };
}
