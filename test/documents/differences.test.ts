import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Every line of docs/differences.md names a test that is there. */
const root = new URL("../../", import.meta.url);
const rows = readFileSync(new URL("docs/differences.md", root), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| ---") && !line.endsWith("| test |"));

describe("docs/differences.md", () => {
  test.each(rows)("%s", (row) => {
    const cells = row.split(" | ");
    const [, path = "", title] = /^`([^`]+)`(?:: (.*))? \|$/.exec(cells.at(-1) ?? "") ?? [];
    const file = new URL(path.startsWith("test/") ? path : `src/${path}`, root);
    expect(existsSync(file)).toBe(true);
    if (title !== undefined) expect(readFileSync(file, "utf8")).toContain(title);
    else expect(path).toMatch(/^test\/documents\/steps\//);
  });

  test("has lines", () => {
    expect(rows.length).toBeGreaterThan(30);
  });
});
