// Compiles src to dist and leaves a stamp of when, unless dist is current. Type errors are printed and, with --check, make it fail;
// without, what compiled is used, so that the command line of a checkout in the middle of a change still runs.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isBuilt } from "./is-built.mjs";

const program = fileURLToPath(import.meta.url);
const root = dirname(dirname(program));
/** npm prepares also where it only writes the lock file, or leaves the compiler out. */
const isOptional = process.argv.includes("--if-installed");

if (process.argv[1] === program) {
  const isChecking = process.argv.includes("--check");
  process.exitCode = process.argv.includes("--locked") ? compile(isChecking) : build(isChecking);
}

/** The exit status. One compiler works at a time; who waited for it finds the work done. */
export function build(isChecking = false) {
  if (!isChecking && isBuilt(root)) return 0;
  if (!isChecking && isSomebodyElses()) {
    process.stderr.write("adjunct: dist is older than src and another user's: it is used as it is\n");
    return 0;
  }
  mkdirSync(join(root, "dist"), { recursive: true });
  const options = [...(isChecking ? ["--check"] : []), ...(isOptional ? ["--if-installed"] : [])];
  const words = [join(root, "dist/.lock"), process.execPath, program, "--locked", ...options];
  const { status, error } = spawnSync("flock", words, { stdio: ["ignore", 2, 2] });
  if (error) process.stderr.write(`flock does not run: ${error.message} (package util-linux)\n`);
  return status ?? 1;
}

function isSomebodyElses() {
  try {
    accessSync(join(root, "dist/cli/main.js"));
    accessSync(join(root, "dist/.built"), constants.W_OK);
    return false;
  } catch (error) {
    return error.code === "EACCES" || error.code === "EROFS";
  }
}

function compile(isChecking) {
  if (!isChecking && isBuilt(root)) return 0;
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  if (!existsSync(compiler)) {
    if (isOptional) return 0;
    process.stderr.write("TypeScript is not installed: npm ci\n");
    return 1;
  }
  const startedAt = new Date();
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json")], { encoding: "utf8" });
  if (status !== 0) process.stderr.write(stdout);
  if (status !== 0 && (isChecking || !existsSync(join(root, "dist/cli/main.js")))) return 1;
  const stamp = join(root, "dist/.built");
  writeFileSync(stamp, "");
  // What was saved while the compiler ran is newer than the stamp.
  utimesSync(stamp, startedAt, startedAt);
  return 0;
}
