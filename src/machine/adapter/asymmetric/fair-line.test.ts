import { expect, test } from "vitest";
import { FairLine } from "./fair-line.ts";

const takeAll = (line: FairLine<string, number>): number[] => {
  const taken: number[] = [];
  for (let item = line.take(); item !== undefined; item = line.take()) taken.push(item);
  return taken;
};

test("owners take turns, and what one brought stays in order", () => {
  const line = new FairLine<string, number>();
  for (const item of [1, 2, 3]) line.add("a", item);
  for (const item of [10, 20]) line.add("b", item);
  line.add("c", 100);
  expect(takeAll(line)).toEqual([1, 10, 100, 2, 20, 3]);
});

test("an owner that comes later does not wait behind all that another brought", () => {
  const line = new FairLine<string, number>();
  for (const item of [1, 2, 3]) line.add("a", item);
  expect(line.take()).toBe(1);
  line.add("b", 10);
  expect(takeAll(line)).toEqual([2, 10, 3]);
});

test("what an owner brought is gone when the owner is dropped, and nobody else's", () => {
  const line = new FairLine<string, number>();
  for (const item of [1, 2]) line.add("a", item);
  line.add("b", 10);
  line.drop("a");
  line.drop("nobody");
  expect(takeAll(line)).toEqual([10]);
});
