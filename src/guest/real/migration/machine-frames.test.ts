import { describe, expect, test } from "vitest";
import { FrameReader, frameBytes, frameKinds, machineHead, maxFrameBytes } from "./machine-frames.ts";

const { stock, processors } = frameKinds;
const whole = Buffer.concat([
  machineHead(),
  frameBytes(stock, Buffer.from("one")),
  frameBytes(stock, Buffer.alloc(0)),
  frameBytes(processors, Buffer.from("{}")),
]);

function read(...pieces: readonly Uint8Array[]): string[] {
  const reader = new FrameReader();
  return pieces.flatMap((piece) => reader.push(piece)).map(({ kind, bytes }) => `${kind} ${bytes.toString("latin1")}`);
}

describe("a machine on its way", () => {
  test("starts with its name and version, and each frame with its kind and length", () => {
    expect(whole.toString("hex")).toBe("41444a5245414c0a01" + "01000000036f6e65" + "0100000000" + "02000000027b7d");
  });

  test.each([1, 2, 7, 1000])("is read from pieces of %d bytes", (length) => {
    const pieces: Buffer[] = [];
    for (let start = 0; start < whole.length; start += length) pieces.push(whole.subarray(start, start + length));
    expect(read(...pieces)).toEqual(["1 one", "1 ", "2 {}"]);
  });

  test.each([
    ["another protocol", "HTTP/1.1", "what comes is no real guest"],
    ["the first byte of another protocol", "H", "what comes is no real guest"],
    ["another version", "ADJREAL\n\x02", "a real guest comes as version 2, this is version 1"],
    ["a frame of an unknown kind", "ADJREAL\n\x01\x03\0\0\0\0", "a real guest comes with a frame that is none"],
  ])("is refused where it is %s", (_what, text, message) => {
    expect(() => read(Buffer.from(text, "latin1"))).toThrow(message);
  });

  test("is refused for a frame beyond the limit before it has come", () => {
    const head = frameBytes(stock, Buffer.alloc(0));
    head.writeUInt32BE(maxFrameBytes + 1, 1);
    expect(() => read(machineHead(), head)).toThrow("a real guest comes with a frame that is none");
    head.writeUInt32BE(maxFrameBytes, 1);
    expect(read(machineHead(), head)).toEqual([]);
  });

  test("is refused for anything behind its last frame", () => {
    expect(() => read(whole, Buffer.of(0))).toThrow("a real guest goes on behind its end");
  });
});
