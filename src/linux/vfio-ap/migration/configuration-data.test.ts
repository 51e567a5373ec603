import { describe, expect, test } from "vitest";
import { outcome } from "../../../../test/support/test-host.ts";
import { Mask } from "../../../ap/mask.ts";
import { announcedBytes, type ConfigurationData, dataBytes, decodeConfiguration, encodeConfiguration } from "./configuration-data.ts";

const two: ConfigurationData = {
  controlDomains: Mask.of(4, 255),
  queues: [
    { queue: 0x0504, high: 0xc0ffee00, low: 0x0cff0007 },
    { queue: 0x05ab, high: 0x00000001, low: 0xfedcba98 },
  ],
};

const golden = [
  "7666617000000001",
  "0000000200000000",
  `08${"00".repeat(30)}01`,
  "c0ffee000cff00070504000000000000",
  "00000001fedcba9805ab000000000000",
].join("");

/** The golden data with other bytes at a place. */
function altered(offset: number, hex: string): Buffer {
  const bytes = Buffer.from(golden, "hex");
  bytes.write(hex, offset, "hex");
  return bytes;
}

const decoded = (bytes: Uint8Array): string => outcome(() => `${decodeConfiguration(bytes).queues.length} queues`);

describe("the data of a device", () => {
  test("is a header of 48 bytes and 16 bytes a queue, big endian", () => {
    expect(Buffer.from(encodeConfiguration(two)).toString("hex")).toBe(golden);
  });

  test("is read as it was written", () => {
    expect(decodeConfiguration(Buffer.from(golden, "hex"))).toEqual(two);
  });

  test("may have no queues and no control domains", () => {
    const none: ConfigurationData = { controlDomains: Mask.none, queues: [] };
    expect(encodeConfiguration(none)).toHaveLength(48);
    expect(decodeConfiguration(encodeConfiguration(none))).toEqual(none);
  });

  test.each([
    ["another magic", altered(0, "76666171")],
    ["the magic in the other byte order", altered(0, "70616676")],
    ["version 0", altered(4, "00000000")],
    ["version 2", altered(4, "00000002")],
    ["something in the header's reserved word", altered(12, "00000001")],
    ["something in a queue's reserved bytes", altered(48 + 15, "01")],
    ["a queue twice", altered(48 + 16 + 8, "0504")],
    ["queues in another order", altered(48 + 16 + 8, "0503")],
    ["queues that are no product of adapters and domains", altered(48 + 16 + 8, "06ab")],
  ])("with %s is refused with EINVAL", (_, bytes) => {
    expect(decoded(bytes)).toBe("EINVAL");
    expect(decoded(Buffer.from(golden, "hex"))).toBe("2 queues");
  });
});

describe("the length that the first 12 bytes announce", () => {
  const announced = (count: number): string => {
    const prefix = Buffer.from(golden.slice(0, 24), "hex");
    prefix.writeUInt32BE(count, 8);
    return outcome(() => String(announcedBytes(prefix)));
  };

  test("is that of as many queues as there can be, at most", () => {
    expect([announced(0), announced(2), announced(65536)]).toEqual(["48", "80", String(dataBytes(65536))]);
    expect([announced(65537), announced(0xffffffff)]).toEqual(["EINVAL", "EINVAL"]);
  });
});
