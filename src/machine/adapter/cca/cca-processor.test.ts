import { beforeAll, describe, expect, test } from "vitest";
import { generateTestKey, icaCrt, icaPower, randomLong, type TestKey, type6 } from "../../../../test/support/adapter-messages.ts";
import { Mask } from "../../../ap/mask.ts";
import { adapterProfile } from "../../adapter-profile.ts";
import { QueueEpoch } from "../../queue-epoch.ts";
import { computingProcessor } from "../computing-processor.ts";

const processor = computingProcessor();
const domains = { usageDomains: Mask.of(4), controlDomains: Mask.of(4) };
const profile = adapterProfile(13, "cca");

function replyTo(message: Uint8Array): Buffer {
  const replies: Uint8Array[] = [];
  processor({ adapter: 5, domain: 4, profile, message, isSpecial: false, epoch: new QueueEpoch(), ...domains }, (reply) =>
    replies.push(reply),
  );
  expect(replies).toHaveLength(1);
  return Buffer.from(replies[0]!);
}

const error = (code: number): Buffer => Buffer.of(0, 0x82, 0, 0, code, 0, 0, 0);

/** Reads a type 86 reply as the driver does and holds it to the driver's checks of its length. */
function readReply(reply: Buffer) {
  expect([reply[0], reply[1], reply[4]]).toEqual([0, 0x86, 0]);
  const [count1, offset1, count2, offset2] = [16, 20, 24, 28].map((offset) => reply.readUInt32BE(offset)) as [
    number,
    number,
    number,
    number,
  ];
  expect([offset1, offset2, reply.length]).toEqual([48, offset1 + count1, offset2 + count2]);
  expect([reply.readUInt16BE(48), reply[50]]).toEqual([0xdc, 2]);
  expect(reply.readUInt32BE(72)).toBe(count1 - 220);
  expect(reply.readUInt32BE(80)).toBe(count2);
  const codes = `${reply.readUInt16BE(192)}/${reply.readUInt16BE(194)}`;
  expect(reply[2]).toBe(codes === "0/0" ? 2 : 1);
  return { codes, verb: reply.toString("latin1", 268, 270), data: reply.subarray(offset2) };
}

/** The result of an RSA verb, or its return and reason code. */
function rsaResult(message: Buffer): Buffer | string {
  const reply = replyTo(message);
  const { codes, verb } = readReply(reply);
  expect(verb).toBe(message.toString("latin1", 308, 310));
  expect(reply.readUInt16BE(270)).toBe(2);
  const length = reply.readUInt16BE(272);
  expect(reply).toHaveLength(274 + length);
  expect(reply.length).toBeLessThanOrEqual(0x77c);
  expect(reply.readUInt16BE(272 + length)).toBe(2);
  if (codes !== "0/0") expect(length).toBe(2);
  return codes === "0/0" ? reply.subarray(274, 272 + length) : codes;
}

const keys = new Map<number, TestKey>();
beforeAll(() => {
  for (const bits of [512, 1024, 2048, 4096]) keys.set(bits, generateTestKey(bits));
});

describe.each([512, 1024, 2048, 4096])("RSA keys of %i bits", (bits) => {
  const pattern = Buffer.alloc(bits / 8, 0x35);
  const withLast = (bytes: Buffer): Buffer => {
    const last = Buffer.from(bytes);
    last[last.length - 1]! -= 1;
    return last;
  };

  test("PK gives what OpenSSL gives, with an exponent as long as the modulus and without its leading zeros", () => {
    const { e, n, encrypt, bytes } = keys.get(bits)!;
    const padded = Buffer.concat([Buffer.alloc(bytes - e.length), e]);
    expect(rsaResult(icaPower(e, n, pattern))).toEqual(encrypt(pattern));
    expect(rsaResult(icaPower(padded, n, pattern))).toEqual(encrypt(pattern));
  });

  test("PK with a private exponent and PD give the value back", () => {
    const key = keys.get(bits)!;
    expect(rsaResult(icaPower(key.d, key.n, key.encrypt(pattern)))).toEqual(pattern);
    expect(rsaResult(icaCrt(key.bytes, key, key.encrypt(pattern)))).toEqual(pattern);
  });

  test("0, 1, small values and modulus - 1 come out in the length of the modulus", () => {
    const key = keys.get(bits)!;
    const values = [0, 1, 2].map((last) => Buffer.concat([Buffer.alloc(key.bytes - 1), Buffer.of(last)]));
    for (const value of [...values, withLast(key.n)]) {
      expect(rsaResult(icaPower(key.e, key.n, value))).toEqual(key.encrypt(value));
      expect(rsaResult(icaCrt(key.bytes, key, key.encrypt(value)))).toEqual(value);
    }
  });

  test("an even modulus or exponent 0 is an unusable key, the modulus as a value an invalid size", () => {
    const key = keys.get(bits)!;
    expect(rsaResult(icaPower(key.e, withLast(key.n), pattern))).toBe("8/65");
    expect(rsaResult(icaPower(Buffer.of(0), key.n, pattern))).toBe("8/65");
    expect(rsaResult(icaCrt(key.bytes, { ...key, q: withLast(key.q) }, pattern))).toBe("8/65");
    expect(rsaResult(icaPower(key.e, key.n, key.n))).toBe("8/72");
    expect(rsaResult(icaCrt(key.bytes, key, key.n))).toBe("8/72");
  });
});

test("PD takes a modulus with an odd number of bytes", () => {
  const key = generateTestKey(1032);
  const value = Buffer.alloc(129, 1);
  expect(rsaResult(icaCrt(129, key, key.encrypt(value)))).toEqual(value);
});

describe("RL", () => {
  test("fills the data part with 4096 new bytes behind a control block that the kernel has room for", () => {
    const [first, second] = [replyTo(randomLong()), replyTo(randomLong())];
    for (const reply of [first, second]) {
      expect(readReply(reply)).toMatchObject({ codes: "0/0", verb: "RL" });
      expect(reply.readUInt32BE(16)).toBeLessThanOrEqual(236);
      expect(reply.readUInt32BE(24)).toBe(4096);
    }
    expect(readReply(first).data).not.toEqual(readReply(second).data);
    expect(new Set(readReply(first).data).size).toBe(256);
  });

  test.each([
    [1, 1],
    [17, 17],
    [8192, 8192],
    [0xffffffff, 8192],
  ])("for %i bytes gives %i", (replyDataBytes, expected) => {
    expect(readReply(replyTo(randomLong({ replyDataBytes }))).data).toHaveLength(expected);
  });

  test("without room is an invalid size", () => {
    expect(readReply(replyTo(randomLong({ replyDataBytes: 0 }))).codes).toBe("8/72");
  });
});

describe("a bad request inside a good envelope has a return and a reason code", () => {
  const key = generateTestKey(1024);
  const value = Buffer.alloc(128, 1);
  const changed = (message: Buffer, offset: number, ...values: number[]): Buffer => {
    message.set(values, offset);
    return message;
  };
  /** Of the request; the key block follows verb, rule and value. */
  const keyBlock = 308 + 12 + 2 + 128;

  test.each<[string, Buffer, string]>([
    ["another rule", changed(icaPower(key.e, key.n, value), 312, 0x58), "8/33"],
    ["a rule array that is not of keywords", changed(icaPower(key.e, key.n, value), 310, 0, 9), "8/72"],
    ["a value longer than the modulus", icaPower(key.e, key.n.subarray(1), value), "8/72"],
    ["a value that ends behind the block", changed(icaPower(key.e, key.n, value), 320, 0xff, 0xff), "8/72"],
    ["a key block that ends behind the block", changed(icaPower(key.e, key.n, value), keyBlock, 0xff, 0xff), "8/72"],
    ["no token in the key block", changed(icaPower(key.e, key.n, value), keyBlock + 6, 0x1f), "8/65"],
    ["a token that ends behind the key block", changed(icaPower(key.e, key.n, value), keyBlock + 8, 0xff, 0xff), "8/65"],
    ["a section without a length", changed(icaPower(key.e, key.n, value), keyBlock + 16, 0, 0), "8/65"],
    ["an exponent that ends behind its section", changed(icaPower(key.e, key.n, value), keyBlock + 20, 0xff, 0xff), "8/65"],
    ["a public key where a private one is needed", changed(icaPower(key.e, key.n, value), 308, 0x50, 0x44), "8/33"],
    ["a CRT key that is not in the clear", changed(icaCrt(128, key, value), keyBlock + 14 + 28, 0x02), "8/65"],
    ["a p that ends behind its section", changed(icaCrt(128, key, value), keyBlock + 14 + 54, 0xff, 0xff), "8/65"],
    ["a modulus of no bytes", changed(icaCrt(128, key, value), keyBlock + 14 + 64, 0, 0), "8/65"],
    ["a modulus of fewer bytes than p times q", changed(icaCrt(128, key, value), keyBlock + 14 + 64, 0, 127), "8/72"],
    ["a verb that there is not", type6(Buffer.from("ZZ")), "8/90"],
    ["a verb of administration", changed(icaPower(key.e, key.n, value), 94, 0x54, 0x33), "8/90"],
    ["a verb without parameters", type6(Buffer.from("PK")), "8/72"],
  ])("%s", (_, message, codes) => {
    expect(readReply(replyTo(message)).codes).toBe(codes);
  });

  test.each<[string, Buffer, number]>([
    ["nothing", Buffer.alloc(0), 0x23],
    ["the driver's test message of zeros", Buffer.alloc(16), 0x20],
    ["type 50", changed(Buffer.alloc(400), 1, 0x50), 0x20],
    ["a header alone", icaPower(key.e, key.n, value).subarray(0, 88), 0x23],
    ["a message that was cut off", icaPower(key.e, key.n, value).subarray(0, 400), 0x23],
    ["a block at another offset", changed(icaPower(key.e, key.n, value), 19, 0x5c), 0x29],
    ["an agent that is not CCA", changed(icaPower(key.e, key.n, value), 32, 0x58, 0x43), 0x22],
    ["a CPRBX of another length", changed(icaPower(key.e, key.n, value), 89, 0xdd), 0x29],
    ["a CPRBX of another version", changed(icaPower(key.e, key.n, value), 90, 4), 0x29],
    ["parameters longer than the block", changed(icaPower(key.e, key.n, value), 100, 0, 1), 0x23],
    ["a domain of another queue", icaPower(key.e, key.n, value, { domain: 5 }), 0x8a],
    ["no room for the reply", icaPower(key.e, key.n, value, { replyBytes: 355 }), 0xa0],
  ])("%s is an error of type 82", (_, message, code) => {
    expect(replyTo(message)).toEqual(error(code));
  });

  test("the smallest room that is enough is enough", () => {
    expect(replyTo(icaPower(key.e, key.n, value, { replyBytes: 356 }))).toHaveLength(404);
  });
});
