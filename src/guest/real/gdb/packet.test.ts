import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodePacket, PacketReader, type StubInput } from "./packet.ts";

const take = (reader: PacketReader, text: string): StubInput[] => [...reader.take(Buffer.from(text, "latin1"))];

/** Any text that needs no escape. */
const packetText = fc.string({ unit: fc.constantFrom(..."0123456789abcdefEOKTm:;,. l") });

describe("a packet", () => {
  test.each([
    ["OK", "$OK#9a"],
    ["", "$#00"],
    ["g", "$g#67"],
    // Of other debuggers' protocol logs.
    ["?", "$?#3f"],
    ["Hg0", "$Hg0#df"],
    ["vMustReplyEmpty", "$vMustReplyEmpty#3a"],
    ["\xff\x02", "$\xff\x02#01"],
  ])("of %j has the sum of its bytes in two digits behind it", (text, frame) => {
    expect(encodePacket(text)).toBe(frame);
  });
});

describe("the reader of a stub's packets", () => {
  test("gives packets and answers in their order", () => {
    expect(take(new PacketReader(), "+$OK#9a-$#00+")).toEqual(["accepted", { packet: "OK" }, "refused", { packet: "" }, "accepted"]);
  });

  test("gives the same however the bytes are cut", () => {
    const input = fc.oneof(
      fc.constantFrom<StubInput>("accepted", "refused"),
      packetText.map((packet): StubInput => ({ packet })),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 8 }), fc.array(fc.nat(400)), (inputs, cuts) => {
        const text = inputs.map((one) => (typeof one === "object" ? encodePacket(one.packet) : one === "accepted" ? "+" : "-")).join("");
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((one, other) => one - other), text.length];
        const reader = new PacketReader();
        expect(places.slice(1).flatMap((end, index) => take(reader, text.slice(places[index], end)))).toEqual(inputs);
      }),
    );
  });

  test("takes the digits of a sum in both cases", () => {
    expect(take(new PacketReader(), "$OK#9A")).toEqual([{ packet: "OK" }]);
  });

  test("takes bytes above 127 as they are", () => {
    expect(take(new PacketReader(), encodePacket("l\xe9\xff"))).toEqual([{ packet: "l\xe9\xff" }]);
  });

  test("says so of a packet with any one byte of its text altered, and goes on behind it", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 1 }), fc.nat(), (text, place) => {
        const at = 1 + (place % text.length);
        const frame = encodePacket(text);
        const damaged = `${frame.slice(0, at)}x${frame.slice(at + 1)}`;
        expect(take(new PacketReader(), `${damaged}$OK#9a`)).toEqual(["damaged", { packet: "OK" }]);
      }),
    );
  });

  test.each(["O", "\0", "#9a", "HTTP/1.1 400"])("throws for %j where a packet must start", (text) => {
    expect(() => take(new PacketReader(), text)).toThrow("where a packet starts");
    expect(() => take(new PacketReader(), `+$OK#9a${text}`)).toThrow("where a packet starts");
  });

  test("keeps 64 KiB without an end and throws at one byte more, in whatever pieces they come", () => {
    const pieces = new PacketReader();
    expect(take(pieces, `$${"0".repeat(65_534)}`)).toEqual([]);
    expect(take(pieces, "0")).toEqual([]);
    expect(() => take(pieces, "0")).toThrow("65537 bytes without an end");
    expect(() => take(new PacketReader(), `$${"0".repeat(65_536)}`)).toThrow("65537 bytes without an end");
  });

  test("takes more than 64 KiB at once when they are whole packets", () => {
    expect(take(new PacketReader(), encodePacket("m0").repeat(20_000))).toHaveLength(20_000);
  });
});
