import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apInstructionPatterns } from "./ap-instruction.ts";
import { findInstructions, instructionBytes } from "./instruction-text.ts";

const find = (text: Buffer): number[] => findInstructions(text, apInstructionPatterns);
const code = (...words: readonly string[]): Buffer => Buffer.from(words.join(""), "hex");
const pqap = "b2af0000";

/** Instructions of 2, 4 and 6 bytes, whose bytes give none of the wanted opcodes. */
const ordinary = fc.array(fc.constantFrom("07fe", "1812", "b9040012", "a7f40008", "e31020000004", "c01000000100", "ebaff0680024"), {
  minLength: 30,
  maxLength: 200,
});

describe("the length of an instruction", () => {
  test.each([
    [0x00, 2],
    [0x3f, 2],
    [0x40, 4],
    [0xb2, 4],
    [0xbf, 4],
    [0xc0, 6],
    [0xff, 6],
  ])("that starts with %i is %i bytes", (first, length) => {
    expect(instructionBytes(first)).toBe(length);
  });
});

describe("instructions in a text", () => {
  test("are found among any others, wherever their text begins", () => {
    fc.assert(
      fc.property(ordinary, ordinary, fc.constantFrom(pqap, "b2ad0024", "b2ae0064"), (before, after, wanted) => {
        const start = code(...before).length;
        expect(find(code(...before, wanted, ...after))).toEqual([start]);
      }),
    );
  });

  test("are found in ascending order, whichever they are", () => {
    expect(find(code("b2ae0064", "b2ad0024", "1812", pqap))).toEqual([0, 4, 10]);
  });

  test("are found at the very end, and not where they are cut off", () => {
    const text = code(..."07".repeat(40), pqap);
    expect(find(text)).toEqual([40]);
    expect(find(text.subarray(0, 43))).toEqual([]);
  });

  test("are none where the bytes are inside another instruction", () => {
    // LG with an operand that looks like PQAP; a load immediate of the same number.
    const inside = ["e310", pqap];
    const immediate = ["c018", pqap];
    for (const words of [inside, immediate]) {
      const text = code(...Array<string>(40).fill("b9040012"), ...words, ...Array<string>(40).fill("b9040012"));
      expect(text.indexOf(pqap, 0, "hex") % 2).toBe(0);
      expect(find(text)).toEqual([]);
    }
  });

  test("are none at an odd address", () => {
    expect(find(code("07".repeat(201), pqap, "07"))).toEqual([]);
    expect(find(code("07".repeat(202), pqap, "07"))).toEqual([202]);
  });

  test("are none whose unused bits are not zero", () => {
    expect(find(code(..."07".repeat(40), "b2af0010", "b2ad0033"))).toEqual([]);
  });

  test("are nothing that a text of any bytes can bring to a halt or beyond its end", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0xb2, 0xad, 0xae, 0xaf, 0, 0x24, 0xc0), { maxLength: 400 }), (bytes) => {
        const text = Buffer.from(bytes);
        for (const offset of find(text)) {
          expect(offset % 2).toBe(0);
          expect(offset + 4).toBeLessThanOrEqual(text.length);
        }
      }),
    );
  });
});
