import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcome } from "../../../test/support/test-host.ts";
import { Mask } from "../../ap/mask.ts";
import { parseHexMask, parseMask } from "./mask-text.ts";

const numbers = (text: string, current: Mask = Mask.none): string => outcome(() => JSON.stringify([...parseMask(text, current)]));

describe("an absolute mask", () => {
  test.each([
    ["0x8", "[0]"],
    ["0x41", "[1,7]"],
    ["0x41\n", "[1,7]"],
    ["41", "[1,7]"],
    ["x41", "[1,7]"],
    ["0xFf", "[0,1,2,3,4,5,6,7]"],
    ["", "[]"],
    ["\n", "[]"],
    ["0x", "[]"],
    ["0x\n", "[]"],
    ["x", "[]"],
    ["0", "[]"],
    ["01", "[7]"],
    [`0x${"0".repeat(63)}1`, "[255]"],
    ["0X41", "EINVAL"],
    ["0x0x41", "EINVAL"],
    ["xx41", "EINVAL"],
    [`0x${"0".repeat(65)}`, "EINVAL"],
    ["0x41 ", "EINVAL"],
    [" 0x41", "EINVAL"],
    ["0x41\n\n", "EINVAL"],
    ["0x4g", "EINVAL"],
    ["0x41,+3", "EINVAL"],
  ])("%j has the bits %s", (text, bits) => {
    expect(numbers(text, Mask.all)).toBe(bits);
  });

  test("shorter than 64 digits is filled with zeros on the right", () => {
    expect(parseHexMask("0x7d").toString()).toBe(`0x7d${"0".repeat(62)}`);
  });

  test("as the kernel prints it is read back", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 255 })), (bits) => {
        const mask = Mask.from(bits);
        expect(parseMask(`${mask}\n`, Mask.none).equals(mask)).toBe(true);
      }),
    );
  });
});

describe("a relative list", () => {
  test.each([
    ["+0", "[0]"],
    ["+0x41", "[65]"],
    ["+1+2", "[1,2]"],
    ["+1,,+2\n", "[1,2]"],
    ["+1\n+2", "[1,2]"],
    ["+1-5", "[1,2,3,4,5]"],
    ["+0x10,-020", "[]"],
    ["-0-255,+3", "[3]"],
    ["+0-255,-1-254", "[0,255]"],
    ["+5,-5,+5", "[5]"],
    ["+255", "[255]"],
    ["+0x1-0x3", "[1,2,3]"],
    ["+1-+5", "EINVAL"],
    ["+1 -5", "EINVAL"],
    ["+ 1", "EINVAL"],
    ["+08", "EINVAL"],
    ["+256", "EINVAL"],
    ["+0x128", "EINVAL"],
    ["+1-256", "EINVAL"],
    ["+5-1", "EINVAL"],
    ["+", "EINVAL"],
    ["-", "EINVAL"],
    ["+1-", "EINVAL"],
    ["+1,2", "EINVAL"],
    ["+1;+2", "EINVAL"],
    ["+-1", "EINVAL"],
    ["+0x", "EINVAL"],
    ["+1,+x", "EINVAL"],
  ])("%j on nothing gives %s", (text, bits) => {
    expect(numbers(text)).toBe(bits);
  });

  test("leaves the bits that it does not name as they were", () => {
    const before = Mask.of(1, 6, 240, 250);
    expect([...parseMask("+0,-6,+0x47,-0xf0", before)]).toEqual([0, 1, 71, 250]);
  });

  test("wraps numbers above 64 bits, as simple_strtoul does", () => {
    expect(numbers("+18446744073709551616")).toBe("[0]");
    expect(numbers("+18446744073709551619,+0x10000000000000005")).toBe("[3,5]");
    expect(numbers("+18446744073709551615")).toBe("EINVAL");
  });

  test("acts term by term, the last one that names a bit wins", () => {
    const term = fc.record({ isOn: fc.boolean(), first: fc.integer({ min: 0, max: 255 }), length: fc.integer({ min: 0, max: 20 }) });
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 20 }), (terms) => {
        const model = new Set<number>();
        for (const { isOn, first, length } of terms) {
          for (let bit = first; bit <= Math.min(255, first + length); bit++) isOn ? model.add(bit) : model.delete(bit);
        }
        const text = terms.map(({ isOn, first, length }) => `${isOn ? "+" : "-"}${first}-${Math.min(255, first + length)}`).join(",");
        expect([...parseMask(text, Mask.none)]).toEqual([...model].sort((left, right) => left - right));
      }),
    );
  });
});

test("whatever the bytes are, a mask comes out or EINVAL", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
      expect(outcome(() => `${parseMask(text, Mask.all)}`)).toMatch(/^(0x[0-9a-f]{64}|EINVAL)$/);
    }),
  );
});
