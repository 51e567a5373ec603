import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { type CpioEntry, cpioArchive } from "./cpio.ts";

const entries: readonly CpioEntry[] = [
  { path: "bin", kind: "link", target: "usr/bin" },
  { path: "usr", kind: "folder" },
  { path: "usr/bin", kind: "folder" },
  { path: "usr/bin/empty", kind: "file", content: Buffer.alloc(0), isExecutable: false },
  { path: "usr/bin/program", kind: "file", content: Buffer.from("five!"), isExecutable: true },
];

test("an empty archive is its trailer, padded to a block of 512 bytes", () => {
  const archive = cpioArchive([]);
  const header = `070701${"00000000".repeat(4)}00000001${"00000000".repeat(6)}0000000b00000000`;
  expect(archive.length).toBe(512);
  expect(archive.toString("latin1").replace(/\0+$/, "")).toBe(`${header}TRAILER!!!`);
});

test("a file is its header, its name and its content, each padded to four bytes", () => {
  const archive = cpioArchive([{ path: "init", kind: "file", content: Buffer.from("five!"), isExecutable: true }]);
  const fields = [
    "00000001",
    "000081ed",
    "00000000",
    "00000000",
    "00000001",
    "00000000",
    "00000005",
    ...Array(4).fill("00000000"),
    "00000005",
  ];
  expect(archive.toString("latin1", 0, 128)).toBe(`070701${fields.join("")}00000000init\0\0five!\0\0\0`.padEnd(128, "070701"));
});

test("the same entries give the same bytes", () => {
  expect(cpioArchive(entries).equals(cpioArchive([...entries]))).toBe(true);
});

test("cpio lists every entry with its kind, mode, owner and size", ({ skip }) => {
  if (!existsSync("/usr/bin/cpio")) skip("cpio is not installed");
  const { stdout, stderr } = spawnSync("cpio", ["-tv", "--quiet", "--numeric-uid-gid"], { input: cpioArchive(entries), encoding: "utf8" });
  expect(stderr).toBe("");
  const lines = stdout.trimEnd().split("\n");
  expect(lines.map((line) => line.replace(/\s+(Jan|Dec) .*?(19(69|70)) /, " ").replace(/ +/g, " "))).toEqual([
    "lrwxrwxrwx 1 0 0 7 bin -> usr/bin",
    "drwxr-xr-x 2 0 0 0 usr",
    "drwxr-xr-x 2 0 0 0 usr/bin",
    "-rw-r--r-- 1 0 0 0 usr/bin/empty",
    "-rwxr-xr-x 1 0 0 5 usr/bin/program",
  ]);
});
