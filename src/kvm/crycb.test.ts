import { expect, test } from "vitest";
import { Mask } from "../ap/mask.ts";
import { type ApMasks, Crycb, crycbBytes, crycbdFormatBits } from "./crycb.ts";

const masks: ApMasks = {
  adapters: Mask.of(5, 6, 63, 64, 255),
  usageDomains: Mask.of(4, 15, 16, 0x47, 0xff),
  controlDomains: Mask.of(0, 4, 200),
};

/** The bytes that are not zero, as `offset: hex` of eight bytes each. */
function eights(bytes: Uint8Array): Record<string, string> {
  const found: Record<string, string> = {};
  for (let offset = 0; offset < bytes.length; offset += 8) {
    const text = Buffer.from(bytes.subarray(offset, offset + 8)).toString("hex");
    if (text !== "0000000000000000") found[offset.toString(16)] = text;
  }
  return found;
}

test.each([0, 1] as const)("format %d keeps 64 adapters and 16 domains in the first control block", (format) => {
  const crycb = new Crycb(format);
  crycb.write(masks);
  expect(eights(crycb.bytes)).toEqual({ 0: "0600000000000001", 8: "0801000000000000", 10: "8800000000000000" });
  const kept = crycb.read();
  expect([[...kept.adapters], [...kept.usageDomains], [...kept.controlDomains]]).toEqual([
    [5, 6, 63],
    [4, 15],
    [0, 4],
  ]);
});

test("format 2 keeps all 256 of each in the second control block", () => {
  const crycb = new Crycb(2);
  crycb.write(masks);
  expect(eights(crycb.bytes)).toEqual({
    80: "0600000000000001",
    88: "8000000000000000",
    98: "0000000000000001",
    a0: "0801800000000000",
    a8: "0100000000000000",
    b8: "0000000000000001",
    c0: "8800000000000000",
    d8: "0080000000000000",
  });
  const kept = crycb.read();
  expect(kept.adapters.equals(masks.adapters) && kept.usageDomains.equals(masks.usageDomains)).toBe(true);
  expect(kept.controlDomains.equals(masks.controlDomains)).toBe(true);
});

test.each([0, 1, 2] as const)("clearing format %d zeroes both control blocks and leaves the wrapping key masks", (format) => {
  const crycb = new Crycb(format);
  expect(crycb.bytes.length).toBe(crycbBytes);
  crycb.bytes.fill(0xff);
  crycb.clear();
  expect(crycb.bytes.subarray(0, 0x20).every((byte) => byte === 0)).toBe(true);
  expect(crycb.bytes.subarray(0x20, 0x80).every((byte) => byte === 0xff)).toBe(true);
  expect(crycb.bytes.subarray(0x80).every((byte) => byte === 0)).toBe(true);
});

test("the format is in the low bits of the designation", () => {
  expect(crycbdFormatBits).toEqual({ 0: 0, 1: 1, 2: 3 });
});
