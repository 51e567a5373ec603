import { expect, test } from "vitest";
import { Errno } from "../../../sysfs/errno.ts";
import { type MigrationState, nextState } from "./migration-state.ts";

const states = ["stop", "running", "stop-copy", "resuming"] as const;

/** All the states on the way, or the errno. */
function way(from: MigrationState, to: MigrationState): string {
  const passed: string[] = [];
  try {
    for (let at = from; at !== to; passed.push(at)) at = nextState(at, to);
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
  return passed.join(" ");
}

test.each([
  ["running", "stop", "stop"],
  ["running", "stop-copy", "stop stop-copy"],
  ["running", "resuming", "stop resuming"],
  ["stop", "running", "running"],
  ["stop", "stop-copy", "stop-copy"],
  ["stop", "resuming", "resuming"],
  ["stop-copy", "stop", "stop"],
  ["stop-copy", "running", "stop running"],
  ["stop-copy", "resuming", "stop resuming"],
  ["resuming", "stop", "stop"],
  ["resuming", "running", "stop running"],
  ["resuming", "stop-copy", "stop stop-copy"],
] as const)("from %s to %s the way is %s", (from, to, expected) => {
  expect(way(from, to)).toBe(expected);
});

test.each(states)("no way leads from %s to error, and none from error to it: EINVAL", (state) => {
  expect([way(state, "error"), way("error", state)]).toEqual(["EINVAL", "EINVAL"]);
});
