import { describe, expect, test } from "vitest";
import { stflePattern, stfleTarget, withFacilities } from "./facility-list.ts";

/** All bits set, so that whatever is taken from a wrong register shows. */
const registersWith = (contents: Readonly<Record<number, readonly [high: number, low: number]>>): Uint32Array => {
  const registers = new Uint32Array(32).fill(0xffffffff);
  for (const [number, [high, low]] of Object.entries(contents)) registers.set([high, low], 2 * Number(number));
  return registers;
};

describe("the operand of STFLE", () => {
  test.each([
    ["stfle 0(%r1)", "b2b01000", { 1: [0, 0x2000] }, 0x2000n],
    ["stfle 4095(%r15)", "b2b0ffff", { 15: [0, 1] }, 0x1000n],
    ["stfle 256(%r10), whose register uses all 64 bits", "b2b0a100", { 10: [0x3ff, 0xfffffff0] }, 0x400_0000_00f0n],
    ["stfle 16(%r3) at the end of all addresses", "b2b03010", { 3: [0xffffffff, 0xfffffff8] }, 8n],
  ] as const)("of %s is base and displacement", (_title, code, contents, address) => {
    expect(stfleTarget(Buffer.from(code, "hex"), registersWith(contents))).toBe(address);
  });

  test("has a base register wherever it is an instruction of a program", () => {
    expect(stflePattern.matches(Buffer.from("b2b01000", "hex"))).toBe(true);
    expect(stflePattern.matches(Buffer.from("b2b0f0c8", "hex"))).toBe(true);
    expect(stflePattern.matches(Buffer.from("b2b00f00", "hex"))).toBe(false);
  });
});

describe("a facility list with further bits", () => {
  test("has them counted from the left and keeps the others", () => {
    const list = Buffer.from("8000000000000001", "hex");
    expect(withFacilities(list, [12, 15]).toString("hex")).toBe("8009000000000001");
    expect(list.toString("hex")).toBe("8000000000000001");
  });

  test("leaves out those that are beyond what the program has room for", () => {
    expect(withFacilities(Buffer.alloc(8), [64, 65]).toString("hex")).toBe("0000000000000000");
    expect(withFacilities(Buffer.alloc(16), [63, 65, 128]).toString("hex")).toBe("00000000000000014000000000000000");
  });
});
