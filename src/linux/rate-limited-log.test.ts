import { expect, test } from "vitest";
import { KernelLog, Level } from "./kernel-log.ts";
import { type CallSite, RateLimitedLog } from "./rate-limited-log.ts";

const here: CallSite = { caller: "some_function" };
const there: CallSite = { caller: "some_function" };

function prepared() {
  const clock = { ms: 0 };
  const log = new KernelLog(() => clock.ms);
  const limited = new RateLimitedLog(log, () => clock.ms);
  return {
    at: (ms: number, site: CallSite, count: number): void => {
      clock.ms = ms;
      for (let number = 1; number <= count; number++) limited.write(site, Level.error, `${ms}.${number}`);
    },
    lines: (): string[] => log.lines.map(({ level, text }) => `<${level}>${text}`),
  };
}

test("writes ten lines of a place in five seconds and drops the others", () => {
  const { at, lines } = prepared();
  at(0, here, 12);
  at(5000, here, 1);
  expect(lines()).toEqual(Array.from({ length: 10 }, (_, index) => `<3>0.${index + 1}`));
});

test("tells how many it dropped with the first line after the five seconds", () => {
  const { at, lines } = prepared();
  at(0, here, 13);
  at(5001, here, 1);
  expect(lines().slice(10)).toEqual(["<4>some_function: 3 callbacks suppressed", "<3>5001.1"]);
});

test("tells nothing where it dropped nothing, and begins to count anew", () => {
  const { at, lines } = prepared();
  at(0, here, 10);
  at(6000, here, 11);
  expect(lines()).toHaveLength(20);
  at(12_000, here, 1);
  expect(lines().slice(20)).toEqual(["<4>some_function: 1 callbacks suppressed", "<3>12000.1"]);
});

test("counts every place for itself, also in one function", () => {
  const { at, lines } = prepared();
  at(0, here, 11);
  at(0, there, 11);
  expect(lines()).toHaveLength(20);
});
