import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apInstructionPatterns, decodeApInstruction } from "./ap-instruction.ts";

const bytes = (code: string): Buffer => Buffer.from(code, "hex");

describe("an AP instruction", () => {
  test.each([
    ["b2af0000", { name: "pqap", r1: 0, r2: 0 }],
    ["b2ad0024", { name: "nqap", r1: 2, r2: 4 }],
    ["b2ae0064", { name: "dqap", r1: 6, r2: 4 }],
    ["b2ad00e2", { name: "nqap", r1: 14, r2: 2 }],
  ])("%s is read with its registers", (code, instruction) => {
    expect(decodeApInstruction(bytes(code))).toEqual(instruction);
  });

  test.each([
    ["b2af0010", "PQAP names no register"],
    ["b2af0100", "its third byte is unused"],
    ["b2ad0124", "its third byte is unused"],
    ["b2ad0034", "an odd first register"],
    ["b2ad0023", "an odd second register"],
    ["b2ae0044", "the same pair twice"],
    ["b2ad0004", "GR0 has the queue"],
    ["b2ae0040", "GR0 has the queue"],
    ["b2b01000", "STFLE"],
    ["b2b20000", "LPSWE"],
    ["b3ae0064", "another opcode"],
    ["b2ae", "cut off"],
    ["", "nothing"],
  ])("is not what %s is: %s", (code) => {
    expect(decodeApInstruction(bytes(code))).toBeUndefined();
  });

  test("is found by its opcode and matched exactly where it can be decoded", () => {
    expect(apInstructionPatterns.map(({ opcode }) => opcode.toString("hex")).sort()).toEqual(["b2ad00", "b2ae00", "b2af00"]);
    fc.assert(
      fc.property(fc.constantFrom(...apInstructionPatterns), fc.nat(255), ({ opcode, matches }, fields) => {
        const code = Buffer.concat([opcode, Buffer.of(fields)]);
        expect(matches(code)).toBe(decodeApInstruction(code) !== undefined);
      }),
    );
  });
});
