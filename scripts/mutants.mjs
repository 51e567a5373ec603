#!/usr/bin/env node
/**
 * Shows that the property tests can fail: applies every patch of test/mutants in a temporary copy of the repository, runs the property
 * tests there and says which one caught it. First they must pass without a patch. Exits with 1 when a mutant survives, 2 when a patch
 * does not apply or the tests fail without one. Arguments: names of patches; all without any.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { applyPatch } from "./mutants-patch.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "test/mutants");
const seed = process.env.ADJUNCT_SEED ?? "1";

/** In this order: most mutants are caught by the first. */
const files = ["history", "guests", "bad-input", "migration-streams"].map((name) => `test/properties/${name}.test.ts`);
const configuration = `export default { test: { include: ${JSON.stringify(files)}, testTimeout: 300_000 } };\n`;

function main() {
  const wanted = process.argv.slice(2);
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".patch"))
    .map((name) => basename(name, ".patch"))
    .filter((name) => wanted.length === 0 || wanted.includes(name))
    .sort();
  const mutants = names.map((name) => ({ name, patched: filesOf(name) }));
  const copy = makeCopy();
  try {
    const original = findFailure(copy);
    if (original) stop(`the property tests fail without a mutant: ${original}`);
    console.log(`without a mutant: every property test passes with seed ${seed}`);
    const survivors = mutants.filter(({ name, patched }) => !isCaught(copy, name, patched)).map(({ name }) => name);
    console.log(`${names.length - survivors.length} of ${names.length} mutants caught`);
    if (survivors.length > 0) process.exitCode = 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function isCaught(copy, name, patched) {
  for (const { path, text } of patched) writeFileSync(join(copy, path), text);
  const startMs = Date.now();
  const title = findFailure(copy);
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(`${name}: ${title ? `caught by: ${title}` : "SURVIVED"} (${seconds} s)`);
  for (const { path } of patched) cpSync(join(root, path), join(copy, path));
  return title !== undefined;
}

function filesOf(name) {
  try {
    return applyPatch(readFileSync(join(folder, `${name}.patch`), "utf8"), (path) => readFileSync(join(root, path), "utf8"));
  } catch (error) {
    return stop(`${name}.patch ${error.message}`);
  }
}

function makeCopy() {
  const copy = mkdtempSync(join(tmpdir(), "adjunct-mutants-"));
  for (const name of ["src", "test/properties", "test/support", "test/traces"]) {
    mkdirSync(join(copy, name), { recursive: true });
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  for (const name of ["package.json", "tsconfig.json"]) cpSync(join(root, name), join(copy, name));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "vitest.config.mjs"), configuration);
  return copy;
}

/** The title of the first property test that fails, with what it says; undefined when all pass. */
function findFailure(copy) {
  for (const file of files) {
    const failure = run(copy, file);
    if (failure) return failure;
  }
  return undefined;
}

function run(copy, testFile) {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const words = [vitest, "run", "--config", "vitest.config.mjs", "--bail=1", "--reporter=json", `--outputFile=${report}`, testFile];
  const environment = { ...process.env, ADJUNCT_SEED: seed, ADJUNCT_SHRINK: "0" };
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: copy, env: environment, encoding: "utf8" });
  let results;
  try {
    results = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return stop(`vitest gave no report and ended with ${status}: ${stderr}`);
  }
  for (const file of results.testResults) {
    const failed = file.assertionResults.find((test) => test.status === "failed");
    if (failed) return `${failed.fullName} (${summary(failed.failureMessages[0] ?? "")})`;
  }
  // A file that cannot even be loaded is no property that failed.
  return results.success
    ? undefined
    : stop(`vitest failed without a failing test: ${results.testResults.map((file) => file.message).join()}`);
}

/** What the property says, without the counterexample. */
function summary(message) {
  const lines = message.split("\n");
  const cause = lines.find((line) => line.startsWith("Caused by: ") || line.startsWith("Cause: "));
  const told = cause ?? lines.find((line) => !/^(Error: Property failed|\{ seed)/.test(line)) ?? "";
  return told.replace(/^(Caused by: |Cause: )?(Error: )?/, "").slice(0, 160);
}

function stop(message) {
  console.error(message);
  process.exit(2);
}

main();
