import { expect, test } from "vitest";
import { Mask } from "./mask.ts";
import { decodeQci, emptyQci, encodeQci, type QciBlock, qciBlockBytes, qciEquals } from "./qci.ts";

const example: QciBlock = {
  apsc: true,
  apxa: true,
  qact: false,
  rc8a: true,
  apsb: true,
  maxAdapter: 0x3f,
  maxDomain: 0x54,
  adapters: Mask.of(5, 6),
  usageDomains: Mask.of(4, 0x47, 0xab, 0xff),
  controlDomains: Mask.of(4, 255),
};

const goldenBlock = [
  "d0800000 3f540000 00000000 00000000",
  "06000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000",
  "08000000 00000000 01000000 00000000 00000000 00100000 00000000 00000001",
  "08000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001",
  "00000000 00000000 00000000 00000000",
]
  .join("")
  .replaceAll(" ", "");

test("a block is laid out as the architecture says", () => {
  expect(Buffer.from(encodeQci(example)).toString("hex")).toBe(goldenBlock);
});

test("a block is read from where it lies in a larger buffer", () => {
  const around = Buffer.concat([Buffer.alloc(12, 0xff), Buffer.from(goldenBlock, "hex"), Buffer.alloc(4, 0xff)]);
  const block = decodeQci(around.subarray(12, 12 + qciBlockBytes));
  expect(qciEquals(block, example)).toBe(true);
  expect(block).toMatchObject({ apsc: true, apxa: true, qact: false, rc8a: true, apsb: true, maxAdapter: 63, maxDomain: 84 });
});

test.each(
  (
    [
      ["apsc", 0x80000000],
      ["apxa", 0x40000000],
      ["qact", 0x20000000],
      ["rc8a", 0x10000000],
      ["apsb", 0x00800000],
    ] as const
  ).map(([field, word]) => [field, word.toString(16), word] as const),
)("flag %s is 0x%s of the first word", (field, _hex, word) => {
  const bytes = encodeQci({ ...emptyQci, [field]: true });
  expect(new DataView(bytes.buffer).getUint32(0)).toBe(word);
});

test.each(Object.keys(example) as (keyof QciBlock)[])("blocks that differ in %s alone are not equal", (field) => {
  const value = example[field];
  const other = typeof value === "boolean" ? !value : typeof value === "number" ? value + 1 : value.with(200);
  expect(qciEquals(example, { ...example })).toBe(true);
  expect(qciEquals(example, { ...example, [field]: other })).toBe(false);
});
