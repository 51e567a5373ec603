import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for what a benchmark compiles and copies; on tmpfs where the machine has one. */
export const benchFolder = (): string => mkdtempSync(join(tmpdir(), "adjunct-bench-"));

/** Compiles one C file beside this one; the path of the program. */
export function compile(folder: string, source: string, ...flags: string[]): string {
  const program = join(folder, source.replace(/\.c$/, ""));
  execFileSync("gcc", ["-O2", "-Wall", "-o", program, join(import.meta.dirname, source), ...flags], { stdio: "inherit" });
  return program;
}
