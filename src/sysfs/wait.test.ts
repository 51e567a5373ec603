import { expect, test } from "vitest";
import { Errno, errnoNumbers } from "./errno.ts";
import { Wait } from "./wait.ts";

const task = { command: "bash", pid: 77 };

test("a wait tells its listener once, with the value or what was thrown", () => {
  const heard: unknown[] = [];
  const first = new Wait<number>();
  first.onSettled((outcome) => heard.push(outcome));
  first.complete(() => 5);
  first.complete(() => 6);
  const error = new Errno("EIO");
  const second = new Wait<number>();
  second.complete(() => {
    throw error;
  });
  second.onSettled((outcome) => heard.push(outcome));
  expect(heard).toEqual([{ value: 5 }, { error }]);
});

test("a signal does what the wait says, and nothing once it is settled or when it is uninterruptible", () => {
  const signals: number[] = [];
  const wait = new Wait<void>(({ pid }) => signals.push(pid));
  wait.interrupt(task);
  wait.interrupt(task);
  wait.complete(() => {});
  wait.interrupt(task);
  expect(signals).toEqual([77, 77]);
  const uninterruptible = new Wait<void>();
  uninterruptible.interrupt(task);
  expect(uninterruptible.outcome).toBeUndefined();
});

test.each(Object.entries(errnoNumbers))("%s is error %d", (name, number) => {
  expect(new Errno(name as keyof typeof errnoNumbers)).toMatchObject({ code: name, number, message: name });
});
