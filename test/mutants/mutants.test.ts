import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { applyPatch } from "../../scripts/mutants-patch.mjs";

/** Mutants are caught by `npm run mutants`, in minutes; that every patch still has its place in the sources is seen at once. */
const root = new URL("../../", import.meta.url);
const patches = readdirSync(new URL("test/mutants/", root)).filter((name) => name.endsWith(".patch"));
const readSource = (path: string): string => readFileSync(new URL(path, root), "utf8");

test("there are at least ten mutants", () => {
  expect(patches.length).toBeGreaterThanOrEqual(10);
});

test.each(patches)("the mutant %s still applies to the sources and changes them", (name) => {
  const patched = applyPatch(readFileSync(new URL(`test/mutants/${name}`, root), "utf8"), readSource);
  for (const { path, text } of patched) expect(text, path).not.toBe(readSource(path));
});

test("a patch whose place is gone is refused", () => {
  const patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,1 @@\n one\n-two\n";
  expect(applyPatch(patch, () => "one\ntwo\n")).toEqual([{ path: "x", text: "one\n" }]);
  expect(() => applyPatch(patch, () => "one\nthree\n")).toThrow("does not apply to x: 0 places");
  expect(() => applyPatch(patch, () => "one\ntwo\none\ntwo\n")).toThrow("does not apply to x: 2 places");
});
