import { expect, test } from "vitest";
import { ccaFactor, ep11Factor, speedRating } from "./speed-ratings.ts";

test.each([
  ["CEX4A", "crt4k", 1458],
  ["CEX5A", "me1k", 8],
  ["CEX6A", "crt2k", 65],
  ["CEX8A", "me4k", 17],
  ["CEX4C", "random", 209],
  ["CEX5C", "secureKey", 10],
  ["CEX7C", "crt1k", 23],
  ["CEX4P", "secureKey", 50],
  ["CEX8P", "secureKey", 8],
  ["CEX8P", "me1k", 0],
] as const)("%s does %s with %i", (type, operation, rating) => {
  expect(speedRating(type, operation)).toBe(rating);
});

test("verbs of CCA and functions of EP11 fall into three classes", () => {
  expect(["FQ", "SE", "KG", "IP", "PK", "US", "CM", "GK", "AU"].map(ccaFactor)).toEqual([10, 10, 500, 100, 500, 100, 500, 100, 100]);
  expect([1, 36, 38, 40, 17, 21, 22, 26, 30, 34, 35, 3, 23, 41].map(ep11Factor)).toEqual([
    ...[10, 10, 10, 10],
    ...[500, 500, 500, 500, 500, 500, 500],
    ...[100, 100, 100],
  ]);
});
