import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Programs that ask the cards through the guest's driver, of test/guests/programs, for s390x and without libraries. */
export const guestPrograms = ["rsa", "cca", "ep11"] as const;
export type GuestProgram = (typeof guestPrograms)[number] | "signatures";

const compiler = "s390x-linux-gnu-gcc";
const library = "/usr/s390x-linux-gnu/lib/libc.a";

/** Why they cannot be compiled here; undefined if they can. */
export function whyNoPrograms(): string | undefined {
  if (spawnSync(compiler, ["--version"]).status !== 0) return `${compiler} is not installed (package gcc-s390x-linux-gnu)`;
  return existsSync(library) ? undefined : `${library} is not installed (package libc6-dev-s390x-cross)`;
}

export function compiledProgram(name: GuestProgram): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "adjunct-program-"));
  try {
    const output = join(folder, name);
    const warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror"];
    const words = ["-std=gnu11", "-O2", ...warnings, "-static", "-s", "-o", output, join(import.meta.dirname, "programs", `${name}.c`)];
    const { status, stderr } = spawnSync(compiler, words, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${name}.c does not compile:\n${stderr}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
