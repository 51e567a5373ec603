import { expect, test } from "vitest";
import { logEnd, logStart } from "./guest-log.ts";

const nowMs = Date.UTC(2026, 10, 21, 5, 12, 0, 123);

test("a guest's log begins with its command line, an option a line", () => {
  const lines: string[] = [];
  logStart((line) => lines.push(line), nowMs, ["-name", "guest=a b", "-S", "-device", '{"driver":"vfio-ap"}', "disk.img"]);
  expect(lines).toEqual([
    "2026-11-21 05:12:00.123+0000: starting up",
    "qemu-system-s390x \\",
    "-name 'guest=a b' \\",
    "-S \\",
    `-device '{"driver":"vfio-ap"}' \\`,
    "disk.img",
  ]);
});

test("a guest's log ends with the reason", () => {
  const lines: string[] = [];
  logEnd((line) => lines.push(line), nowMs, "destroyed");
  expect(lines).toEqual(["2026-11-21 05:12:00.123+0000: shutting down, reason=destroyed"]);
});
