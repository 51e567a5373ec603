import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printSeed, runParameters } from "../../../../test/properties/seed.ts";
import { ep11Reply, errorReply, icaReply, type80Reply, type86Reply } from "../../../../test/support/adapter-replies.ts";
import { Errno } from "../../../sysfs/errno.ts";
import { MalformedReply } from "./malformed-reply.ts";
import { resultOfType80 } from "./type80-reply.ts";
import { resultOfCprb, resultOfEp11, resultOfIca, resultOfRandom } from "./type86-reply.ts";

printSeed("src/linux/zcrypt/replies/replies.test.ts");

/** What a reply means: bytes in hex, the name of an errno, or what the log says when the queue goes offline. */
function meaning(convert: () => Uint8Array | { readonly control: Uint8Array; readonly data: Uint8Array }): string {
  try {
    const result = convert();
    return result instanceof Uint8Array ? Buffer.from(result).toString("hex") : `${result.control.length} + ${result.data.length}`;
  } catch (error) {
    if (error instanceof Errno) return error.code;
    if (error instanceof MalformedReply) return `offline: ${error.complaint}`;
    throw error;
  }
}

const kinds = {
  type80: (reply: Uint8Array) => meaning(() => resultOfType80(reply, 4)),
  ica: (reply: Uint8Array) => meaning(() => resultOfIca(reply, 4)),
  cprb: (reply: Uint8Array) => meaning(() => resultOfCprb(reply, { controlBytes: 300, dataBytes: 8 })),
  random: (reply: Uint8Array) => meaning(() => resultOfRandom(reply, 16)),
  ep11: (reply: Uint8Array) => meaning(() => resultOfEp11(reply, 64)),
} as const;

const invalid = [0x22, 0x23, 0x24, 0x29, 0x34, 0x40, 0x41, 0x80, 0x82, 0x84, 0x85, 0x8a, 0x8b, 0xa0];
const errorTypes = { type80: [0x82, 0x88], ica: [0x82, 0x88], cprb: [0x82, 0x88], ep11: [0x82, 0x87] } as const;

describe.each(Object.entries(errorTypes))("an error reply to a request of kind %s", (kind, types) => {
  test.each(types)("of type 0x%s says by its code whether another try is worth it", (type) => {
    for (let code = 0; code < 256; code++) {
      const answer = kinds[kind as keyof typeof errorTypes](errorReply(type, code));
      expect([code, answer]).toEqual([code, invalid.includes(code) ? "EINVAL" : "EAGAIN"]);
    }
  });
});

test("an error reply to a request for random numbers is EINVAL, whatever its code", () => {
  for (const code of [0x10, 0x20, 0x85, 0x90]) expect(kinds.random(errorReply(0x82, code))).toBe("EINVAL");
  expect(kinds.random(type86Reply(Buffer.alloc(2), Buffer.alloc(0), { replyCode: 0x90 }))).toBe("EINVAL");
});

describe("the code in a reply of type 86 counts as that of an error", () => {
  test.each([
    ["ica", icaReply(Buffer.alloc(4), { replyCode: 0x90 }), "EAGAIN"],
    ["ica", icaReply(Buffer.alloc(4), { replyCode: 0x8b }), "EINVAL"],
    ["cprb", type86Reply(Buffer.alloc(2), Buffer.alloc(0), { replyCode: 0x8b }), "EINVAL"],
    ["cprb", type86Reply(Buffer.alloc(2), Buffer.alloc(0), { replyCode: 0x30 }), "EAGAIN"],
  ] as const)("to %s", (kind, reply, answer) => {
    expect(kinds[kind](reply)).toBe(answer);
  });
});

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])("a reply to %s", (kind) => {
  test("of a type that is not its own takes the queue offline", () => {
    const own = kind === "type80" ? [0x80, 0x82, 0x88] : kind === "ep11" ? [0x82, 0x86, 0x87] : [0x82, 0x86, 0x88];
    for (let type = 0; type < 256; type++) {
      if (own.includes(type)) continue;
      const text = type.toString(16).padStart(2, "0");
      expect(kinds[kind](errorReply(type, 0))).toBe(`offline: unknown response type 0x${text} =>`);
    }
  });

  test("that is anything else is a result or an error, and never a bug", () => {
    const good = { type80: type80Reply(8, Buffer.from("abcdefgh")), ica: icaReply(Buffer.alloc(4)), ep11: ep11Reply(Buffer.alloc(20)) };
    const start = kind in good ? good[kind as keyof typeof good] : type86Reply(Buffer.alloc(4), Buffer.alloc(8));
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.option(fc.nat(400)), (changes, length) => {
        const reply = Buffer.alloc(length ?? start.length);
        start.copy(reply);
        for (const { at, byte } of changes) if (reply.length > 0) reply[at % Math.min(reply.length, at % 2 === 0 ? 52 : 400)] = byte;
        seen.add(kinds[kind](reply).replace(/^([0-9a-f ]|\+)*$/, "done"));
      }),
      runParameters(5000),
    );
    for (const answer of ["done", "EMSGSIZE"]) expect([...seen]).toContain(answer);
  });
});

describe("a result of an accelerator", () => {
  test.each([
    ["stands at the end", type80Reply(8, Buffer.from("abcdefgh")), Buffer.from("efgh").toString("hex")],
    ["shorter than asked takes the queue offline", Object.assign(type80Reply(3, Buffer.alloc(3)), { 4: 7 }), "offline: code=0x07 =>"],
    ["longer than it says is EMSGSIZE", Buffer.concat([type80Reply(8, Buffer.alloc(8)), Buffer.alloc(1)]), "EMSGSIZE"],
    ["shorter than it says is EMSGSIZE", type80Reply(8, Buffer.alloc(8)).subarray(0, 20), "EMSGSIZE"],
    ["as long as can be", type80Reply(512, Buffer.from("wxyz")), Buffer.from("wxyz").toString("hex")],
    ["longer than can be is EMSGSIZE", type80Reply(513, Buffer.from("wxyz")), "EMSGSIZE"],
  ])("%s", (_title, reply, answer) => {
    expect(kinds.type80(reply)).toBe(answer);
  });
});

describe("a result of an RSA verb", () => {
  const shortened = icaReply(Buffer.from("abcd"));
  shortened.writeUInt16BE(1, 272);
  test.each([
    ["is as long as its length says", icaReply(Buffer.from("abcd")), "61626364"],
    ["may be shorter than asked", icaReply(Buffer.from("ab")), "6162"],
    ["longer than asked is EMSGSIZE", icaReply(Buffer.from("abcde")), "EMSGSIZE"],
    ["with two bytes less behind it is EMSGSIZE", icaReply(Buffer.from("abcd")).subarray(0, 278), "EMSGSIZE"],
    ["with a length below its own is EMSGSIZE", shortened.subarray(0, 275), "EMSGSIZE"],
    ["with another version takes the queue offline", icaReply(Buffer.alloc(4), { version: 3 }), "offline: unknown response type 0x86 =>"],
  ])("%s", (_title, reply, answer) => {
    expect(kinds.ica(reply)).toBe(answer);
  });

  test.each([
    [8, 65, "EINVAL"],
    [8, 66, "EINVAL"],
    [8, 72, "EINVAL"],
    [8, 770, "EINVAL"],
    [12, 769, "EINVAL"],
    [8, 33, "offline: rc/rs=8/33"],
    [12, 65, "offline: rc/rs=12/65"],
    [8, 0x14f, "offline: rc/rs=8/335"],
    [0, 33, "00000000"],
  ])("with return code %i and reason %i means %s", (returnCode, reasonCode, answer) => {
    expect(kinds.ica(icaReply(Buffer.alloc(4), { returnCode, reasonCode }))).toBe(answer);
  });

  test("says of a modulus above 256 bytes that its exponent is too long: EINVAL", () => {
    const reply = icaReply(Buffer.alloc(4), { returnCode: 8, reasonCode: 0x14f });
    expect(meaning(() => resultOfIca(reply, 257))).toBe("EINVAL");
  });
});

describe("a control block and data", () => {
  const data = (bytes: number): Buffer => type86Reply(Buffer.alloc(4), Buffer.alloc(bytes, 7));

  test("come as they are, return code and all", () => {
    const reply = type86Reply(Buffer.from("KG"), Buffer.from("data"), { returnCode: 8, reasonCode: 90 });
    const { control, data: got } = resultOfCprb(reply, { controlBytes: 222, dataBytes: 4 });
    expect([Buffer.from(control), Buffer.from(got).toString()]).toEqual([reply.subarray(48, 270), "data"]);
  });

  test("that are longer than the caller's buffers are EMSGSIZE", () => {
    expect([kinds.cprb(data(8)), kinds.cprb(data(9))]).toEqual(["224 + 8", "EMSGSIZE"]);
    expect(kinds.cprb(type86Reply(Buffer.alloc(81), Buffer.alloc(0)))).toBe("EMSGSIZE");
  });

  test("give random numbers, EINVAL with a return or a reason code", () => {
    expect(kinds.random(data(2))).toBe("0707");
    expect(kinds.random(data(17))).toBe("EMSGSIZE");
    for (const codes of [{ returnCode: 8 }, { reasonCode: 1 }])
      expect(kinds.random(type86Reply(Buffer.alloc(4), Buffer.alloc(2), codes))).toBe("EINVAL");
  });

  test("of EP11 are as long as they say and fit", () => {
    expect(kinds.ep11(ep11Reply(Buffer.alloc(0)))).toHaveLength(64);
    expect(kinds.ep11(ep11Reply(Buffer.alloc(33)))).toBe("EMSGSIZE");
    expect(kinds.ep11(Buffer.concat([ep11Reply(Buffer.alloc(8)), Buffer.alloc(1)]))).toBe("EMSGSIZE");
    expect(kinds.ep11(ep11Reply(Buffer.alloc(8), { version: 2 }))).toBe("offline: unknown response type 0x86 =>");
  });
});
