import { expect, test } from "vitest";
import { Standstill } from "./standstill.ts";

test("a counter stands still only while it is busy and has not moved for the whole limit", () => {
  const standstill = new Standstill(1000);
  const steps = [
    { nowMs: 0, counter: 1, isBusy: true, lasts: false },
    { nowMs: 999, counter: 1, isBusy: true, lasts: false },
    { nowMs: 1000, counter: 1, isBusy: true, lasts: true },
    { nowMs: 1001, counter: 2, isBusy: true, lasts: false },
    { nowMs: 2500, counter: 2, isBusy: false, lasts: false },
    { nowMs: 3000, counter: 2, isBusy: true, lasts: false },
    { nowMs: 3500, counter: 2, isBusy: true, lasts: true },
  ];
  for (const { nowMs, counter, isBusy, lasts } of steps) expect([nowMs, standstill.lasts(counter, isBusy, nowMs)]).toEqual([nowMs, lasts]);
});
