import { spawn } from "node:child_process";
import { constants } from "node:os";
import { expect, test } from "vitest";
import { passedOn } from "./passed-on.ts";

test("the exit status of the program is passed on", async () => {
  expect(await passedOn(spawn("sh", ["-c", "exit 7"]))).toBe(7);
});

test("a signal that killed the program and does not end us becomes 128 and its number", async () => {
  const ignore = (): void => {};
  process.on("SIGUSR2", ignore);
  try {
    expect(await passedOn(spawn("sh", ["-c", "kill -USR2 $$"]))).toBe(128 + constants.signals.SIGUSR2);
  } finally {
    process.off("SIGUSR2", ignore);
  }
});
