import { expect, test } from "vitest";
import { keyRegistersOf } from "./key-patterns.ts";

test("reads the states and patterns that mkvps tells", () => {
  expect(keyRegistersOf("AES NEW: partial 0x0000000000000000\nAES CUR: valid 0x00112233aabbccdd\nWK NEW: empty -\n")).toEqual([
    { key: "AES", register: "NEW", state: "partial", pattern: null },
    { key: "AES", register: "CUR", state: "valid", pattern: "00112233aabbccdd" },
    { key: "WK", register: "NEW", state: "empty", pattern: null },
  ]);
});

test.each(["", "AES NEW: - -\nAES CUR: - -\n", "nothing of the kind"])("a text that tells nothing, %j, is no knowledge", (text) => {
  expect(keyRegistersOf(text)).toBeUndefined();
});
