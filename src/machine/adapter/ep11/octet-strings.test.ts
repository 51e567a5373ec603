import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printSeed, runParameters } from "../../../../test/properties/seed.ts";
import { readOctetStrings, writeOctetStrings } from "./octet-strings.ts";

printSeed("src/machine/adapter/ep11/octet-strings.test.ts");

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(" ", ""), "hex");
const read = (hex: string): string[] | undefined => readOctetStrings(bytes(hex))?.map((value) => Buffer.from(value).toString("hex"));

describe("reading", () => {
  test.each<[string, string, string[]]>([
    ["a sequence with the length of two bytes that Linux writes", "30 82 0006 04 04 00010026", ["00010026"]],
    ["one with a length of one byte", "30 81 06 04 04 00010026", ["00010026"]],
    ["one with the shortest length", "30 06 04 04 00010026", ["00010026"]],
    ["values with a length of every form", "30 0e 04 01 aa 04 81 01 bb 04 82 0001 cc 04 00", ["aa", "bb", "cc", ""]],
    ["an empty sequence", "30 00", []],
  ])("%s", (_title, payload, values) => {
    expect(read(payload)).toEqual(values);
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["a tag alone", "30"],
    ["another tag than a sequence's", "31 00"],
    ["a length form without its bytes", "30 82 00"],
    ["the indefinite length", "30 80 04 00 00 00"],
    ["a length of three bytes", "30 83 000003 04 01 aa"],
    ["a sequence that ends behind the payload", "30 07 04 04 00010026"],
    ["a payload that goes on behind the sequence", "30 06 04 04 00010026 00"],
    ["a value behind the sequence", "30 06 04 04 00010026 04 00"],
    ["a value that ends behind the sequence", "30 06 04 05 00010026"],
    ["a value of another tag", "30 06 02 04 00010026"],
    ["half a head at the end", "30 07 04 04 00010026 04"],
    ["more values than any request has", `30 22 ${"04 00 ".repeat(17)}`],
  ])("refuses %s", (_title, payload) => {
    expect(read(payload)).toBeUndefined();
  });

  test("ends for every sequence of bytes, with values from within it", () => {
    const byte = fc.constantFrom(0x04, 0x04, 0x04, 0x00, 0x01, 0x02, 0x81, 0x82, 0x30);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 80 }), (content) => {
        const values = readOctetStrings(Uint8Array.of(0x30, content.length, ...content)) ?? [];
        expect(values.reduce((sum, value) => sum + value.length + 2, 0)).toBeLessThanOrEqual(content.length);
      }),
      runParameters(1000),
    );
  });
});

describe("writing", () => {
  test("numbers take six bytes, other values and the sequence the length of two bytes", () => {
    expect(Buffer.from(writeOctetStrings([0x10026, 0x80010001, Uint8Array.of(0xaa)])).toString("hex")).toBe(
      ["30820011", "040400010026", "040480010001", "04820001aa"].join(""),
    );
  });

  test("what is written is read back", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 16 }), (values) => {
        expect(readOctetStrings(writeOctetStrings(values))?.map((value) => Array.from(value))).toEqual(values.map((v) => Array.from(v)));
      }),
      runParameters(200),
    );
  });
});
