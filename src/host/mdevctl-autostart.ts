import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Runs a program in a host's namespaces; the words come before it. */
export interface ProgramRunner {
  readonly before: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** The one parent of vfio_ap; its definitions are in a folder of its name. */
const parent = "matrix";
const timeLimitMs = 60_000;

/**
 * Starts the mediated devices that are defined to start by themselves, as udev does by mdevctl's rule when vfio_ap has registered its
 * device. Resolves with what mdevctl complained of, a line each. Source: mdevctl, 60-mdevctl.rules.
 */
export async function startDefinedMdevs(etc: string, { before, environment }: ProgramRunner): Promise<string[]> {
  if (!existsSync(join(etc, "mdevctl.d", parent))) return [];
  const [program = "", ...words] = [...before, "mdevctl", "start-parent-mdevs", parent];
  const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], env: environment, timeout: timeLimitMs });
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += String(chunk);
  });
  const end = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (status, signal) => resolve(status === 0 || complaints !== "" ? undefined : `it ended with ${signal ?? status}`));
  });
  if (end !== undefined) complaints += end;
  return complaints
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => `mdevctl start-parent-mdevs ${parent}: ${line.replace(/^adjunct: /, "")}`);
}
