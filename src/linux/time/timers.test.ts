import { expect, test } from "vitest";
import { Timers } from "./timers.ts";

test("timers fire in order of time, those of one time in the order they were set", () => {
  const timers = new Timers(1000);
  const fired: string[] = [];
  const note = (name: string) => () => fired.push(`${name} at ${timers.nowMs}`);
  timers.after(30, note("c"));
  timers.after(10, note("a"));
  timers.after(30, note("d"));
  timers.after(20, note("b"));
  expect(timers.nextDueMs).toBe(1010);
  timers.advanceTo(1029);
  expect(fired.splice(0)).toEqual(["a at 1010", "b at 1020"]);
  timers.advanceTo(2000);
  expect(fired).toEqual(["c at 1030", "d at 1030"]);
  expect([timers.nowMs, timers.nextDueMs]).toEqual([2000, undefined]);
});

test("a timer that is set while another fires waits its turn, in the same advance if it is due", () => {
  const timers = new Timers();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(timers.nowMs);
    if (fired.length < 5) timers.after(10, again);
  };
  timers.after(10, again);
  timers.advanceTo(35);
  expect(fired).toEqual([10, 20, 30]);
});

test("a cancelled timer does not fire, and may be cancelled again", () => {
  const timers = new Timers();
  const timer = timers.after(10, () => expect.unreachable());
  timer.cancel();
  timer.cancel();
  timers.advanceTo(100);
  expect(timers.nextDueMs).toBeUndefined();
});

test("time never goes back", () => {
  const timers = new Timers();
  timers.advanceTo(50);
  timers.advanceTo(20);
  expect(timers.nowMs).toBe(50);
});

test("to settle is to fire what is not in the background, and to pass over what is", () => {
  const timers = new Timers();
  const fired: string[] = [];
  timers.after(10, () => fired.push("scan"), { isBackground: true });
  timers.after(20, () => fired.push("reset"));
  expect(timers.fireNextForeground()).toBe(true);
  expect([fired.splice(0), timers.nowMs]).toEqual([["reset"], 20]);
  expect(timers.fireNextForeground()).toBe(false);
  timers.advanceTo(20);
  expect(fired).toEqual(["scan"]);
});
