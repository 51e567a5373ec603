import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mask } from "./mask.ts";

/** Every operation against a plain Set of numbers. */
const bit = fc.integer({ min: 0, max: 255 });
const bits = fc.uniqueArray(bit, { maxLength: 256 });
const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((left, right) => left - right);

describe("a mask is a set of the numbers 0 to 255", () => {
  test("with the elements it was made of, ascending, and their count, lowest and emptiness", () => {
    fc.assert(
      fc.property(bits, (numbers) => {
        const mask = Mask.from(numbers);
        expect([...mask]).toEqual(sorted(numbers));
        expect(mask.size).toBe(numbers.length);
        expect(mask.isEmpty).toBe(numbers.length === 0);
        expect(mask.first).toBe(numbers.length === 0 ? -1 : Math.min(...numbers));
        expect([...Mask.of(...numbers)]).toEqual([...mask]);
      }),
    );
  });

  test("that takes in and lets go of one number without changing itself", () => {
    fc.assert(
      fc.property(bits, bit, (numbers, number) => {
        const mask = Mask.from(numbers);
        expect([...mask.with(number)]).toEqual(sorted([...numbers, number]));
        expect([...mask.without(number)]).toEqual(sorted(numbers.filter((other) => other !== number)));
        expect(mask.has(number)).toBe(numbers.includes(number));
        expect([...mask]).toEqual(sorted(numbers));
      }),
    );
  });

  test("with intersection, union, difference, overlap and equality", () => {
    fc.assert(
      fc.property(bits, bits, (left, right) => {
        const [a, b] = [Mask.from(left), Mask.from(right)];
        const common = left.filter((number) => right.includes(number));
        expect([...a.and(b)]).toEqual(sorted(common));
        expect([...a.or(b)]).toEqual(sorted([...left, ...right]));
        expect([...a.andNot(b)]).toEqual(sorted(left.filter((number) => !right.includes(number))));
        expect(a.intersects(b)).toBe(common.length > 0);
        expect(a.equals(b)).toBe(sorted(left).join() === sorted(right).join());
      }),
    );
  });

  test("that goes through its text, its words and its bytes unchanged", () => {
    fc.assert(
      fc.property(bits, (numbers) => {
        const mask = Mask.from(numbers);
        const view = new DataView(new ArrayBuffer(40));
        mask.writeTo(view, 8);
        expect(Mask.fromBytes(view, 8).equals(mask)).toBe(true);
        const text = mask.toString();
        expect(text).toMatch(/^0x[0-9a-f]{64}$/);
        const words = Array.from({ length: 8 }, (_, index) => Number.parseInt(text.slice(2 + 8 * index, 10 + 8 * index), 16));
        expect(Mask.fromWords(words).equals(mask)).toBe(true);
      }),
    );
  });

  test("that can be a range, empty when it ends before it starts", () => {
    fc.assert(
      fc.property(bit, bit, (first, last) => {
        expect([...Mask.range(first, last)]).toEqual(Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index));
      }),
    );
  });
});

describe("bit 0 is the leftmost", () => {
  const texts: [number[], string][] = [
    [[], `0x${"0".repeat(64)}`],
    [[0], `0x8${"0".repeat(63)}`],
    [[1, 7], `0x41${"0".repeat(62)}`],
    [[31, 32], `0x00000001${"8".padEnd(56, "0")}`],
    [[255], `0x${"0".repeat(63)}1`],
    [[...Array(256).keys()], `0x${"f".repeat(64)}`],
  ];
  test.each(texts)("%j prints as %s", (numbers, text) => {
    expect(Mask.from(numbers).toString()).toBe(text);
  });

  test("in the first byte of a block", () => {
    const view = new DataView(new ArrayBuffer(32));
    Mask.of(0, 10, 255).writeTo(view, 0);
    expect([view.getUint8(0), view.getUint8(1), view.getUint8(31)]).toEqual([0x80, 0x20, 0x01]);
  });
});

test.each([-1, 256, 1.5, Number.NaN])("a mask refuses %d", (number) => {
  expect(() => Mask.of(number)).toThrow(RangeError);
});

test.each([-1, 256, 1000])("no mask has %d", (number) => {
  expect(Mask.all.has(number)).toBe(false);
});

test("all and none are complements", () => {
  expect(Mask.all.size).toBe(Mask.bits);
  expect(Mask.all.andNot(Mask.all).equals(Mask.none)).toBe(true);
});
