import { expect, test } from "vitest";
import { KernelLog, Level, type LogLine } from "./kernel-log.ts";

test("lines have a number, the time since the start, a level, and are told at once", () => {
  let nowMs = 5;
  const heard: LogLine[] = [];
  const log = new KernelLog(
    () => nowMs,
    (line) => heard.push(line),
  );
  log.write(Level.warning, "one");
  nowMs = 20;
  log.write(Level.info, "two");
  expect(heard).toEqual([
    { sequence: 0, timeMs: 5, level: 4, text: "one" },
    { sequence: 1, timeMs: 20, level: 6, text: "two" },
  ]);
  expect(log.lines).toEqual(heard);
  expect(log.since(1).map(({ text }) => text)).toEqual(["two"]);
  expect(log.nextSequence).toBe(2);
});

test("the ring keeps the newest 8192 lines and their numbers", () => {
  const log = new KernelLog(() => 0);
  for (let count = 0; count < 8200; count++) log.write(Level.notice, String(count));
  expect(log.lines.length).toBe(8192);
  expect(log.lines[0]).toMatchObject({ sequence: 8, text: "8" });
  expect(log.since(8199).map(({ text }) => text)).toEqual(["8199"]);
});
