import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, encodePreface, type Frame, type FrameType, frameTypes, StreamError } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";

const types = Object.keys(frameTypes) as FrameType[];
const frames = fc.array(
  fc
    .constantFrom(...types)
    .chain((type) =>
      fc.uint8Array({ maxLength: Math.min(frameTypes[type].maxBytes, 300) }).map((bytes) => ({ type, bytes: Buffer.from(bytes) })),
    ),
  { maxLength: 8 },
);

/** In pieces whose lengths repeat. */
function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const length = lengths[turn % lengths.length]!;
    yield bytes.subarray(start, start + length);
    start += length;
  }
}

describe("a reader of frames", () => {
  test("finds the same frames in pieces of any size", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(frames, lengths, (sent, sizes) => {
        const reader = new FrameReader();
        const stream = Buffer.concat([encodePreface(), ...sent.map(({ type, bytes }) => encodeFrame(type, bytes))]);
        const found: Frame[] = [];
        for (const piece of cut(stream, sizes)) found.push(...reader.feed(piece));
        expect(found.map(({ type, bytes }) => [type, bytes.toString("hex")])).toEqual(
          sent.map(({ type, bytes }) => [type, bytes.toString("hex")]),
        );
      }),
    );
  });

  test("takes any bytes for frames or refuses them, and never fails otherwise", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), fc.boolean(), (pieces, hasPreface) => {
        const reader = new FrameReader();
        try {
          if (hasPreface) [...reader.feed(encodePreface())];
          for (const piece of pieces) [...reader.feed(Buffer.from(piece))];
        } catch (error) {
          expect(error).toBeInstanceOf(StreamError);
        }
      }),
    );
  });

  test.each(types)("refuses a %s that announces more than one may have, before its bytes come", (type) => {
    const reader = new FrameReader();
    [...reader.feed(encodePreface())];
    const head = encodeFrame(type).subarray(0, 8);
    head.writeUInt32BE(frameTypes[type].maxBytes + 1, 4);
    expect(() => [...reader.feed(head)]).toThrow(`more than ${frameTypes[type].maxBytes}`);
  });

  test("encodes big endian", () => {
    expect(Buffer.concat([encodePreface(), encodeFrame("device", Buffer.from([0xab]))]).toString("hex")).toBe(
      "41444a4d00000001" + "0000000800000001ab",
    );
  });
});
