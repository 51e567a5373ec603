import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { GenerationName } from "../../src/linux/generation.ts";
import { type Features, features, history, type Operation } from "./guests/operations.ts";
import { World } from "./guests/world.ts";
import { printSeed, propertyTimeoutMs, runParameters } from "./seed.ts";

/** Random histories of guests: plug, unplug, assign, hardware, start, pause, reset and end. After every operation all that must hold is checked. */
let operations = 0;
let looks = 0;
let promptLooks = 0;

vi.setConfig({ testTimeout: propertyTimeoutMs });
beforeAll(() => printSeed("test/properties/guests.test.ts"));
afterAll(() =>
  console.log(`${operations} operations, ${looks} looks at guests with devices, ${promptLooks} of guests before any time went by`),
);

function live(kernel: GenerationName, initial: Features, steps: readonly Operation[]): void {
  const world = new World(kernel, initial);
  world.scanAndExamine();
  for (const [index, step] of steps.entries()) {
    operations++;
    world.perform(step);
    world.examine();
    if (index % 4 === 3) world.scanAndExamine();
  }
  world.scanAndExamine();
  looks += world.looks;
  promptLooks += world.promptLooks;
}

test.each<[GenerationName, number]>([
  ["7.2", 240],
  ["6.12", 100],
  ["6.1", 100],
  ["4.20", 60],
])("shows a guest exactly its control block crossed with what exists, through any history on a %s host", (kernel, runs) => {
  const property = fc.property(features, history, (initial, steps) => live(kernel, initial, steps));
  const { counterexample, errorInstance, seed, counterexamplePath } = fc.check(property, runParameters(runs));
  if (!counterexample) return;
  const [initial, steps] = counterexample;
  const lines = [initial, ...steps].map((line) => JSON.stringify(line));
  const { message } = errorInstance as Error;
  throw new Error([message, `seed ${seed}, path ${counterexamplePath}`, ...lines].join("\n"), { cause: errorInstance });
});

test("looks at guests with devices often enough to mean something", () => {
  expect(operations).toBeGreaterThanOrEqual(8_000);
  expect(looks).toBeGreaterThanOrEqual(3_000);
  expect(promptLooks).toBeGreaterThanOrEqual(800);
});
