import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolders } from "./make-folders.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adjunct-folders-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("makes what is missing above, closed to others", () => {
  makeFolders(join(folder, "a/b"));
  expect(statSync(join(folder, "a/b")).mode & 0o777).toBe(0o700);
  makeFolders(join(folder, "a/b"));
  expect(existsSync(join(folder, "a/b"))).toBe(true);
});

test("names the folder that cannot be made, also where Node's own way would not end", () => {
  expect(() => makeFolders("/proc/adjunct/run")).toThrow(
    /^\/proc\/adjunct cannot be made: No such file or directory \(ENOENT\); set ADJUNCT_RUN_DIR/,
  );
  writeFileSync(join(folder, "file"), "");
  expect(() => makeFolders(join(folder, "file/run"))).toThrow(/Not a directory \(ENOTDIR\)/);
});
