import { describe, expect, test } from "vitest";
import { Reply } from "./reply.ts";

const hex = (reply: Reply): string => reply.bytes.toString("hex", 0, reply.length);
const stat = { ino: 7, mode: 0o100444, size: 11, nlink: 1, seconds: 0x65000000, nanoseconds: 5 };

describe("Reply", () => {
  test("writes an error as a negative number without a body", () => {
    expect(hex(new Reply(4096).error(6, 99))).toBe("10000000" + "9dffffff" + "0600000000000000");
  });

  test("writes an entry of 144 bytes that stays valid for 68 years", () => {
    const reply = new Reply(4096);
    reply.bytes.fill(0xff);
    expect(hex(reply.entry(6, 7, stat))).toBe(
      "90000000" +
        "00000000" +
        "0600000000000000" + // header
        "0700000000000000" +
        "0000000000000000" +
        "ffffff7f00000000" +
        "ffffff7f00000000" +
        "00000000" +
        "00000000" +
        "0700000000000000" +
        "0b00000000000000" +
        "0000000000000000" + // ino, size, blocks
        "0000006500000000".repeat(3) +
        "05000000".repeat(3) +
        "24810000" +
        "01000000" + // times, mode, nlink
        "00000000" +
        "00000000" +
        "00000000" +
        "00100000" +
        "00000000", // uid, gid, rdev, blksize, flags
    );
  });

  test("writes attributes of 120 bytes, an open of 32 and a write of 24", () => {
    const reply = new Reply(4096);
    expect(reply.attributes(6, stat).length).toBe(120);
    expect(hex(reply.opened(6, 3, 1))).toBe("20000000" + "00000000" + "0600000000000000" + "0300000000000000" + "01000000" + "00000000");
    expect(hex(reply.written(6, 4096))).toBe("18000000" + "00000000" + "0600000000000000" + "00100000" + "00000000");
  });

  test("writes the part of a text that was asked for and nothing behind its end", () => {
    const reply = new Reply(4096);
    expect(hex(reply.text(6, "0x1f\n", 2, 2))).toBe("12000000" + "00000000" + "0600000000000000" + "3166");
    for (const offset of [5, 6, 2 ** 40]) expect(reply.text(6, "0x1f\n", offset, 4096).length).toBe(16);
  });

  test("gives less than was asked for where the buffer ends", () => {
    expect(new Reply(20).text(6, "0123456789", 0, 4096).length).toBe(20);
  });

  test("aligns listing entries to 8 bytes and takes none that does not fit", () => {
    const reply = new Reply(4096);
    const first = reply.directoryEntry(0, 64, 9, 1, "card05", 4);
    expect(first).toBe(32);
    expect(reply.directoryEntry(first, 64, 9, 2, "card05.1", 4)).toBe(32);
    expect(reply.directoryEntry(64, 64, 9, 3, "x", 4)).toBe(0);
    expect(hex(reply.body(6, first))).toBe(
      "30000000" +
        "00000000" +
        "0600000000000000" +
        "0900000000000000" +
        "0100000000000000" +
        "06000000" +
        "04000000" +
        "636172643035" +
        "0000",
    );
  });
});
