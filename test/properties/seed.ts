import { randomInt } from "node:crypto";

/**
 * Every property runs from one seed, which is printed. `ADJUNCT_SEED` sets it, `ADJUNCT_RUNS` multiplies the number of runs, and
 * `ADJUNCT_SHRINK=0` stops at the first counterexample as it was found.
 */
export const seed = Number(process.env.ADJUNCT_SEED ?? randomInt(2 ** 31));

const factor = Number(process.env.ADJUNCT_RUNS ?? 1);

/** For machines that are busy with something else. */
export const propertyTimeoutMs = 60_000 + 120_000 * factor;

export function runParameters(runs: number): { seed: number; numRuns: number; endOnFailure: boolean } {
  return { seed, numRuns: Math.max(1, Math.round(runs * factor)), endOnFailure: process.env.ADJUNCT_SHRINK === "0" };
}

export function printSeed(file: string): void {
  console.log(`seed ${seed}; the same run again: ADJUNCT_SEED=${seed} npx vitest run ${file}`);
}
