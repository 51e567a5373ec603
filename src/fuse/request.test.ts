import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { opcode } from "./abi.ts";
import { Request } from "./request.ts";
import { requestBytes } from "./request-bytes.ts";

const take = (bytes: Uint8Array): { request: Request; isAccepted: boolean } => {
  const request = new Request(8192);
  request.bytes.set(bytes);
  return { request, isAccepted: request.accept(bytes.length) };
};

/** LOOKUP of "ap" in node 1, number 6, as kernel 6.18 sent it. */
const lookup = Buffer.from(
  "2b00000001000000" + "0600000000000000" + "0100000000000000" + "0000000000000000d2040000" + "00000000" + "617000",
  "hex",
);

describe("Request", () => {
  test("reads the header and the name of a LOOKUP from the bytes that the kernel sends", () => {
    const { request, isAccepted } = take(lookup);
    expect(isAccepted).toBe(true);
    expect(request).toMatchObject({ opcode: opcode.lookup, unique: 6, nodeId: 1, pid: 1234, bodyBytes: 3 });
    expect(request.name()).toBe("ap");
    expect(requestBytes(opcode.lookup, 1, ["ap"], 6)).toEqual(lookup);
  });

  test("reads 64-bit numbers up to 2^53 exactly", () => {
    const bytes = requestBytes(opcode.forget, 1, [[8, 0]]);
    bytes.writeBigUInt64LE(2n ** 53n - 1n, 40);
    expect(take(bytes).request.u64(0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("takes nothing whose stated length is not the length that came", () => {
    for (const length of [0, 1, 39, 40, 42]) expect(take(lookup.subarray(0, length)).isAccepted).toBe(false);
    const longer = Buffer.concat([lookup, Buffer.alloc(8)]);
    expect(take(longer).isAccepted).toBe(false);
  });

  test("gives no name that does not end inside the request, whatever an earlier one left in the buffer", () => {
    const request = new Request(8192);
    request.bytes.fill(0x61);
    request.bytes[4000] = 0;
    const bytes = lookup.subarray(0, 42);
    request.bytes.set(bytes);
    request.bytes.writeUInt32LE(42, 0);
    expect(request.accept(42)).toBe(true);
    expect(request.name()).toBeUndefined();
    expect(request.name(1000)).toBeUndefined();
  });

  test("never throws on any bytes and never gives a name longer than its body", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isLengthTrue) => {
        if (isLengthTrue && bytes.length >= 4) Buffer.from(bytes.buffer).writeUInt32LE(bytes.length, bytes.byteOffset);
        const { request, isAccepted } = take(bytes);
        if (isAccepted) expect((request.name() ?? "").length).toBeLessThan(request.bodyBytes + 1);
      }),
    );
  });
});
