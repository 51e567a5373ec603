import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { GenerationName } from "../../src/linux/generation.ts";
import { check } from "./history/check.ts";
import { checkCounts, checkLinks } from "./history/consistency.ts";
import { history, type Operation, type Setting } from "./history/operations.ts";
import { checkOwnership } from "./history/ownership.ts";
import { Reader, type Texts } from "./history/reader.ts";
import { World } from "./history/world.ts";
import { printSeed, propertyTimeoutMs, runParameters } from "./seed.ts";

/**
 * Random histories of a host: HMC, administrator, guests and time. After every operation all that must hold is checked.
 */
const leastOperations = 10_000;
const leastLosses = 100;
let operations = 0;
let losses = 0;

vi.setConfig({ testTimeout: propertyTimeoutMs });
beforeAll(() => printSeed("test/properties/history.test.ts"));
afterAll(() => console.log(`${operations} operations, ${losses} queues lost with messages in them`));

function live([setting, steps]: readonly [Setting, readonly Operation[]]): void {
  const world = new World(setting);
  const { host } = world;
  const reader = new Reader();
  host.root.observer = reader;
  let before = reader.read(host.linux.root);
  for (const step of steps) {
    operations++;
    const { result } = world.perform(step);
    const after = reader.read(host.linux.root);
    if (result === "refused") checkUnchanged(before, after);
    before = after;
    examine(world);
  }
  world.perform({ settle: true });
  reader.read(host.linux.root);
  examine(world);
  losses += world.lossCount;
}

function examine(world: World): void {
  checkOwnership(world);
  checkLinks(world.host.linux.root);
  if (world.isQuiet) checkCounts(world.host);
}

function checkUnchanged(before: Texts, after: Texts): void {
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path), after.get(path)];
    check(was === is, () => `refused write: ${path} was ${JSON.stringify(was)}, is ${JSON.stringify(is)}`);
  }
}

test.each<[GenerationName, number]>([
  ["7.2", 110],
  ["7.2-migration", 50],
  ["6.12", 50],
  ["6.1", 50],
])("keeps one owner a queue, nothing left behind, and a tree that agrees with itself through any history of a %s host", (kernel, runs) => {
  const property = fc.property(history(kernel), (lived) => live(lived));
  const { counterexample, errorInstance, seed, counterexamplePath } = fc.check(property, runParameters(runs));
  if (!counterexample) return;
  const [[setting, steps]] = counterexample;
  const lines = [setting, ...steps].map((line) => JSON.stringify(line));
  const { message } = errorInstance as Error;
  throw new Error([message, `seed ${seed}, path ${counterexamplePath}`, ...lines].join("\n"), { cause: errorInstance });
});

test(`lives through at least ${leastOperations} operations a run, in which guests lose at least ${leastLosses} queues with messages in them`, () => {
  expect(operations).toBeGreaterThanOrEqual(leastOperations);
  expect(losses).toBeGreaterThanOrEqual(leastLosses);
});
