import { expect, test } from "vitest";
import { Mask } from "../../ap/mask.ts";
import { matrixText } from "./matrix-text.ts";

test("a matrix prints every pair, adapters outer, both ascending", () => {
  expect(matrixText(Mask.of(6, 5), Mask.of(0xab, 4))).toBe("05.0004\n05.00ab\n06.0004\n06.00ab\n");
});

test("a matrix of adapters alone prints them with nothing behind the point", () => {
  expect(matrixText(Mask.of(5, 16), Mask.none)).toBe("05.\n10.\n");
});

test("a matrix of domains alone prints them with nothing before the point", () => {
  expect(matrixText(Mask.none, Mask.of(4, 255))).toBe(".0004\n.00ff\n");
});

test("an empty matrix prints nothing", () => {
  expect(matrixText(Mask.none, Mask.none)).toBe("");
});

test("512 queues end after 511 lines and seven characters of the next", () => {
  const text = matrixText(Mask.of(1, 2), Mask.all);
  expect(text.length).toBe(4095);
  expect(text.split("\n").length).toBe(512);
  expect(text.endsWith("\n02.00fe\n02.00ff")).toBe(true);
});

test("511 queues fit", () => {
  const text = matrixText(Mask.of(1), Mask.all) + matrixText(Mask.of(2), Mask.range(0, 254));
  expect(text.length).toBe(4088);
  expect(matrixText(Mask.all, Mask.all).length).toBe(4095);
  expect(matrixText(Mask.all, Mask.all).startsWith("00.0000\n00.0001\n")).toBe(true);
});
