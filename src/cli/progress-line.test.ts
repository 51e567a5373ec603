import { expect, test } from "vitest";
import { ProgressLine } from "./progress-line.ts";

function shown(isTTY: boolean, texts: readonly string[]): { readonly written: string[]; readonly noted: string[] } {
  const [written, noted]: [string[], string[]] = [[], []];
  const output = { print() {}, note: (text: string) => noted.push(text) };
  const line = new ProgressLine(output, { isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 });
  for (const text of texts) line.show(text);
  line.end();
  return { written, noted };
}

test("on a terminal one line changes, and is gone at the end", () => {
  expect(shown(true, ["a", "a", "b"])).toEqual({ written: ["\r\x1b[Ka", "\r\x1b[Kb", "\r\x1b[K"], noted: [] });
});

test("elsewhere each new text is a line", () => {
  expect(shown(false, ["a", "a", "b"])).toEqual({ written: [], noted: ["a", "b"] });
});

test("what showed nothing leaves nothing", () => {
  expect(shown(true, [])).toEqual({ written: [], noted: [] });
});
