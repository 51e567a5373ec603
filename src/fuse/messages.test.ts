import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forEachMessage, Messages } from "./messages.ts";

const takeHex = (messages: Messages): string => Buffer.from(messages.take()).toString("hex");

describe("Messages", () => {
  test("writes the three notifications as the kernel takes them", () => {
    const messages = new Messages();
    messages.invalidateInode(9);
    expect(takeHex(messages)).toBe(
      "28000000" + "02000000" + "0000000000000000" + "0900000000000000" + "0000000000000000" + "0000000000000000",
    );
    messages.invalidateEntry(1, "ap");
    expect(takeHex(messages)).toBe("23000000" + "03000000" + "0000000000000000" + "0100000000000000" + "02000000" + "00000000" + "617000");
    messages.retrieve(2, 4);
    expect(takeHex(messages)).toBe(
      "30000000" + "05000000" + "0000000000000000" + "0400000000000000" + "0200000000000000" + "0000000000000000" + "00000000" + "00000000",
    );
  });

  test("leaves out a name that the kernel cannot have", () => {
    const messages = new Messages();
    messages.invalidateEntry(1, "x".repeat(1025));
    expect(messages.isEmpty).toBe(true);
  });

  test("gives back every message that was put in, in order, and is empty after that", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e9), fc.string({ maxLength: 300 })), { maxLength: 60 }), (entries) => {
        const messages = new Messages();
        for (const [directory, name] of entries) messages.invalidateEntry(directory, name);
        const seen: number[] = [];
        forEachMessage(messages.take(), (message) => seen.push(Buffer.from(message).readUInt32LE(16)));
        expect(seen).toEqual(entries.map(([directory]) => directory));
        expect(messages.isEmpty).toBe(true);
      }),
    );
  });

  test("stops at bytes that are no message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        let total = 0;
        forEachMessage(new Uint8Array(bytes), (message) => {
          total += message.length;
        });
        expect(total).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
