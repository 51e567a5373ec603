import { expect, test } from "vitest";
import { bindStateOf, decodeQueueInfo, Functions, lowInfoWord, modeOf } from "./queue-info.ts";

test("the right word holds type, highest domain, message limit and depth", () => {
  const info = { functions: 0, type: 14, maxDomain: 0x54, messageLimit: 12, depth: 7 };
  expect(lowInfoWord(info)).toBe(0x0e540c07);
  expect(decodeQueueInfo(0, 0x0e540c07)).toEqual(info);
});

test("reserved bits of the word do not reach its fields", () => {
  expect(decodeQueueInfo(0xffffffff, 0xffffffff)).toEqual({
    functions: 0xffffffff,
    type: 255,
    maxDomain: 255,
    messageLimit: 15,
    depth: 15,
  });
});

test.each(
  (
    [
      ["apsc", 0x80000000],
      ["mex4k", 0x40000000],
      ["crt4k", 0x20000000],
      ["cca", 0x10000000],
      ["accelerator", 0x08000000],
      ["ep11", 0x04000000],
      ["apxa", 0x02000000],
      ["slcf", 0x01000000],
      ["classFull", 0x00800000],
      ["classStateless", 0x00400000],
    ] as const
  ).map(([name, bit]) => [name, bit.toString(16), bit] as const),
)("function %s is 0x%s", (name, _hex, bit) => {
  expect(Functions[name]).toBe(bit);
});

test.each(
  (
    [
      [0x00000000, 0],
      [0x00004000, 1],
      [0x00008000, 2],
      [0x0000c000, 3],
    ] as const
  ).map(([functions, state]) => [functions.toString(16), state, functions] as const),
)("functions 0x%s have the bind state %d", (_hex, state, functions) => {
  expect(bindStateOf(functions)).toBe(state);
});

test.each(
  (
    [
      [Functions.accelerator | Functions.cca | Functions.ep11, "accelerator"],
      [Functions.cca | Functions.ep11, "cca"],
      [Functions.ep11, "ep11"],
      [Functions.apsc | Functions.apxa, undefined],
    ] as const
  ).map(([functions, mode]) => [functions.toString(16), mode, functions] as const),
)("of the modes in 0x%s the first in the kernel's order counts: %s", (_hex, mode, functions) => {
  expect(modeOf(functions)).toBe(mode);
});
