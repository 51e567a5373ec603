import { expect, test } from "vitest";
import { parseMountTable } from "./mount-table.ts";

test("reads minor number, mount point, type and source of a mount, with escaped characters and optional fields", () => {
  const table = [
    "22 1 0:20 / /proc rw,nosuid shared:5 master:2 - proc proc rw",
    "77 22 0:45 / /tmp/a\\040b\\134c rw - fuse.adjunct adjunct rw,user_id=0",
    "nonsense",
    "",
  ].join("\n");
  expect(parseMountTable(table)).toEqual([
    { minor: 20, mountPoint: "/proc", type: "proc", source: "proc" },
    { minor: 45, mountPoint: "/tmp/a b\\c", type: "fuse.adjunct", source: "adjunct" },
  ]);
});
