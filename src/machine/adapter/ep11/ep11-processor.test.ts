import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type Ep11Options,
  ep11,
  ep11Decrypt,
  ep11Encrypt,
  ep11GenerateKey,
  ep11Info,
  ep11Raw,
  ep11UnwrapKey,
  ep11WrapKey,
  mechanism,
  octets,
  u32,
} from "../../../../test/support/ep11-messages.ts";
import { Mask } from "../../../ap/mask.ts";
import { type AdapterProfile, adapterProfile } from "../../adapter-profile.ts";
import { QueueEpoch } from "../../queue-epoch.ts";
import { ep11Processor } from "./ep11-processor.ts";
import type { WrappingKeys } from "./wrapping-keys.ts";

const bytes = (...hex: string[]): Buffer => Buffer.from(hex.join("").replaceAll(" ", ""), "hex");
const zeros = (count: number): string => "00".repeat(count);

const wrappingKey = Buffer.alloc(32, 0x11);
const otherKey = Buffer.alloc(32, 0x22);
const domains = { usageDomains: Mask.of(4, 7), controlDomains: Mask.of(9) };
const only = (current: Uint8Array | undefined): WrappingKeys => ({ current, next: undefined });

/** A coprocessor in place 5 with the queue of domain 4, whose keys can be changed. */
class Card {
  keys: WrappingKeys = only(wrappingKey);
  readonly #processor = ep11Processor({
    keysOf: (adapter, domain) => {
      expect([adapter, domain]).toEqual([5, 4]);
      return this.keys;
    },
    protectionKey: randomBytes(32),
    serialOf: (adapter) => `93AADJ0${adapter}00000001`,
  });

  constructor(readonly profile: AdapterProfile = adapterProfile(14, "ep11")) {}

  reply(message: Uint8Array): Buffer {
    const replies: Uint8Array[] = [];
    // As the driver sets it, by the CPRB's flag.
    const isSpecial = ((message[93] ?? 0) & 0x20) !== 0;
    const epoch = new QueueEpoch();
    this.#processor({ adapter: 5, domain: 4, profile: this.profile, message, isSpecial, epoch, ...domains }, (reply) =>
      replies.push(reply),
    );
    expect(replies).toHaveLength(1);
    return Buffer.from(replies[0]!);
  }

  /** The values that a function gives, else its return value; the reply is held to what the driver checks. */
  call(message: Buffer): readonly Buffer[] | string {
    const reply = this.reply(message);
    expect([reply[0], reply[1], reply[2], reply.readUInt32BE(4)]).toEqual([0, 0x86, 2, 0]);
    const [count1, offset1, count2, offset2] = [16, 20, 24, 28].map((offset) => reply.readUInt32BE(offset));
    expect([offset1, count2, offset2, reply.length]).toEqual([48, 0, 0, 48 + count1!]);
    expect(count1).toBeLessThanOrEqual(message.readUInt32BE(72));
    expect([reply.readUInt16BE(48), reply[50], reply.toString("latin1", 54, 56)]).toEqual([0x20, 4, "T4"]);
    expect([reply.readUInt32BE(60), reply.readUInt32BE(64), reply.readUInt32BE(76)]).toEqual([message.readUInt32BE(100), 0, count1! - 32]);
    expect([reply.readUInt16BE(80), reply.readUInt16BE(82)]).toEqual([0x3082, count1! - 36]);
    expect(reply.subarray(84, 96)).toEqual(message.subarray(124, 136));
    expect(reply.readUInt16BE(96)).toBe(0x0404);
    const returnValue = reply.readUInt32BE(98);
    const values: Buffer[] = [];
    for (let at = 102; at < reply.length; ) {
      expect(reply.readUInt16BE(at)).toBe(0x0482);
      const end = at + 4 + reply.readUInt16BE(at + 2);
      expect(end).toBeLessThanOrEqual(reply.length);
      values.push(reply.subarray(at + 4, end));
      at = end;
    }
    if (returnValue === 0) return values;
    expect(values).toEqual([]);
    return `0x${returnValue.toString(16)}`;
  }

  values(message: Buffer): readonly Buffer[] {
    const values = this.call(message);
    if (typeof values === "string") throw new Error(`return value ${values}`);
    return values;
  }

  generate(keyBytes: number, attributes: number): Buffer {
    return this.values(ep11GenerateKey(keyBytes, attributes))[0]!;
  }

  /** A clear key as a blob, as Linux imports it: encrypted under a key that is made for it. */
  import(value: Uint8Array, attributes = 0x00200c00): readonly Buffer[] {
    const wrappingBlob = this.generate(32, 0x6c00);
    const how = cbcPad(defaultIv);
    const [wrapped] = this.values(ep11Encrypt(how, wrappingBlob, value));
    return this.values(ep11UnwrapKey({ how, wrappingBlob, wrapped: wrapped!, keyBytes: value.length, attributes }, { api: 4 }));
  }
}

const defaultIv = bytes("00112233445566778899aabbccddeeff");
const cbcPad = (iv: Uint8Array): Buffer => mechanism(0x1085, iv);
const cpacf = mechanism(0x80060001, defaultIv);
const useKey = 0x00200c00;
const error = (code: number): Buffer => Buffer.of(0, 0x82, 0, 0, code, 0, 0, 0);

/** Header of type 6 and CPRB, with the lengths of request, reply and payload. */
const head = (request: string, reply: string, payload: string): string =>
  [
    ...[
      `0006 ${zeros(14)} 00000058 ${zeros(12)}`,
      `5843 ${zeros(14)}`,
      "0001 0000 0000 0000",
      `${request} ${zeros(12)} ${reply} ${zeros(12)}`,
    ],
    ...["0020 04 0000 00 5434 00000000 00000004", `ffffffff ${zeros(8)} ${payload}`],
  ].join("");

describe("messages in hexadecimal, as Linux sends them", () => {
  const moduleQuery = bytes(head("0000003c", "00002fd0", "0000001c"), "30820018 040400010026 040400000004 040400000001 040400000000");
  const keyRequest = bytes(
    ...[head("0000005a", "00002fd0", "0000003a"), "30820036 040400040015 040400000004 040400000000 040400000020 040400001080"],
    "0414 10010000 00200c00 00200c00 00000161 00000020 0400",
  );

  test("are what the other tests put together", () => {
    expect(ep11Info(1)).toEqual(moduleQuery);
    expect(ep11GenerateKey(32, useKey, { api: 4 })).toEqual(keyRequest);
  });

  test("module information: all of the reply but the firmware's name", () => {
    const reply = new Card().reply(moduleQuery);
    reply.fill(0, 80 + 26 + 4, 80 + 26 + 8);
    reply.fill(0, 80 + 26 + 12, 80 + 26 + 108);
    expect(reply.toString("hex")).toBe(
      bytes(
        ...[`0086 0200 ${zeros(12)} 000000fe 00000030 ${zeros(24)}`, "0020 04 0000 00 5434 00000000 00000004"],
        ...[`00000000 ${zeros(8)} 000000de`, "308200da 040400010026 040400000004 040400000000 048200c4"],
        ...[`00000006 00000000 0827 0827 ${zeros(96)}`, Buffer.from("93AADJ0500000001").toString("hex"), "30".repeat(16)],
        ...["0000000000000003 00000000 00000400 00000100", `${zeros(20)} 00000100 0000bf88 ${zeros(8)}`],
      ).toString("hex"),
    );
  });

  test("a new key: a blob where Linux looks for it, then a check value of three bytes", () => {
    const reply = new Card().reply(keyRequest);
    expect(reply.readUInt32BE(98)).toBe(0);
    expect(reply.toString("hex", 102, 106)).toBe("04820100");
    expect(reply.toString("hex", 362, 366)).toBe("04820003");
    expect(reply).toHaveLength(369);
  });
});

describe("information", () => {
  test.each([
    [10, 1, "4.0"],
    [13, 4, "7.0"],
    [14, 6, "8.39"],
  ])("a module of type %i has API %i and firmware %s", (type, api, firmware) => {
    const [info] = new Card(adapterProfile(type, "ep11")).values(ep11Info(1));
    expect([info!.length, info!.readUInt32BE(0), `${info![8]}.${info![9]}`]).toEqual([196, api, firmware]);
    expect(info!.toString("latin1", 108, 124)).toMatch(/^[0-9A-Z]{16}$/);
    // Under 12 KiB a message of all adapters of the time.
    expect(info!.readUInt32BE(184)).toBe((type === 14 ? 12 : 3) * 4096 - 120);
  });

  test("the API alone is the start of the module's", () => {
    const card = new Card();
    expect(card.values(ep11Info(0))).toEqual([card.values(ep11Info(1))[0]!.subarray(0, 8)]);
  });

  const pattern = (key: Uint8Array): string => createHash("sha256").update(key).digest("hex");
  test.each<[string, WrappingKeys, string]>([
    ["no key", only(undefined), `${zeros(64)} 00000020`],
    ["a current key", only(wrappingKey), `${pattern(wrappingKey)} ${zeros(32)} 00000033`],
    ["a new key", { current: undefined, next: { key: otherKey, isCommitted: false } }, `${zeros(32)} ${pattern(otherKey)} 00000035`],
    [
      "a committed one beside the current one",
      { current: wrappingKey, next: { key: otherKey, isCommitted: true } },
      `${pattern(wrappingKey)} ${pattern(otherKey)} 0000003f`,
    ],
  ])("a domain with %s", (_title, keys, expected) => {
    const card = new Card();
    card.keys = keys;
    expect(card.values(ep11Info(3))[0]!.toString("hex")).toBe(bytes(`00000004 ${expected} 0000000000000003`).toString("hex"));
  });

  test("nothing else is known: type, subtype, number of values", () => {
    const card = new Card();
    expect(card.call(ep11Info(2))).toBe("0x7");
    expect(card.call(ep11(38, [u32(1), u32(1)]))).toBe("0x7");
    expect(card.call(ep11(38, [u32(1)]))).toBe("0x7");
    expect(card.call(ep11(38, [u32(1), u32(0), u32(0)]))).toBe("0x7");
    expect(card.call(ep11(38, [u32(1), Buffer.alloc(3)]))).toBe("0x7");
  });
});

describe("GenerateKey", () => {
  test.each([16, 24, 32])("makes keys of %i bytes, of the right form and each of its own", (keyBytes) => {
    const card = new Card();
    const [blob, checkValue] = card.values(ep11GenerateKey(keyBytes, useKey, { api: 4 })) as [Buffer, Buffer];
    expect(blob).toHaveLength(256);
    expect(blob.subarray(0, 32)).toEqual(Buffer.alloc(32));
    expect(blob.subarray(32, 48)).toEqual(createHash("sha256").update(wrappingKey).digest().subarray(0, 16));
    // What was asked for, made inside, never extractable and never to be modified.
    expect(blob.toString("hex", 48, 66)).toBe("0000000000200c2a 0000000000000003 1234".replaceAll(" ", ""));
    // The check value is what the key makes of zeros.
    const [zeroBlock] = card.values(ep11Encrypt(mechanism(0x1081), blob, Buffer.alloc(16)));
    expect(zeroBlock!.subarray(0, 3)).toEqual(checkValue);
    const [other, otherCheckValue] = card.values(ep11GenerateKey(keyBytes, useKey, { api: 4 }));
    expect(other!.subarray(66)).not.toEqual(blob.subarray(66));
    expect(otherCheckValue).not.toEqual(checkValue);
  });

  const values = (keyBytes: number, template: Uint8Array, how: Uint8Array = u32(0x1080), pin: Uint8Array = Buffer.alloc(0)) => [
    ...[u32(0), u32(keyBytes), how, template, pin],
  ];
  const template = (...numbers: number[]): Buffer => u32(0x10000000 + ((numbers.length / 2) << 16), useKey, useKey, ...numbers);

  test("takes the empty session of a guest of Secure Execution, a template without a size and one with all that it knows", () => {
    const card = new Card();
    expect(card.values(ep11(21, values(32, template(0x161, 32), u32(0x1080), Buffer.alloc(56)), { api: 6 }))).toHaveLength(2);
    expect(card.values(ep11(21, values(32, template())))).toHaveLength(2);
    expect(card.values(ep11(21, values(32, template(0, 4, 0x100, 0x1f, 0x161, 32))))).toHaveLength(2);
  });

  test("an attribute that the mask leaves out is off", () => {
    const [blob] = new Card().values(ep11(21, values(32, u32(0x10000000, 0x400, 0xffffffff))));
    expect(blob!.readUInt32BE(52)).toBe(0x40042a);
  });

  test.each<[string, readonly Uint8Array[], string]>([
    ["another size", values(17, template(0x161, 17)), "0x62"],
    ["no size", values(0, template()), "0x62"],
    ["two sizes", values(32, template(0x161, 16)), "0xd1"],
    ["a number twice", values(32, template(0x161, 32, 0x161, 32)), "0xd1"],
    ["another type of key", values(32, template(0x100, 0x15)), "0xd1"],
    ["another class of object", values(32, template(0, 3)), "0xd1"],
    ["a number that it does not know", values(32, template(0x162, 1)), "0x12"],
    ["an attribute of bytes", values(32, u32(0x10000001, 0, 0)), "0x12"],
    ["to be told that it is trusted", values(32, u32(0x10000000, 0x20000, 0x20000)), "0x13"],
    ["to be told that it never was extractable", values(32, u32(0x10000000, 0x2, 0x2)), "0x13"],
    ["to be told that it never was modifiable", values(32, u32(0x10000000, 0x8, 0x8)), "0x13"],
    ["to be told that it was made inside", values(32, u32(0x10000000, 0x20, 0x20)), "0x13"],
    ["another form of template", values(32, u32(0x20000000, 0, 0)), "0x7"],
    ["a template that is cut", values(32, template(0x161, 32).subarray(0, 18)), "0x7"],
    ["no template", values(32, Buffer.alloc(0)), "0x7"],
    ["a template with fewer numbers than it says", values(32, u32(0x10010000, 0, 0)), "0x7"],
    ["another mechanism", values(32, template(), u32(0x1085)), "0x70"],
    ["a mechanism with a parameter", values(32, template(), u32(0x1080, 0)), "0x71"],
    ["half a mechanism", values(32, template(), Buffer.alloc(2)), "0x7"],
    ["a session", values(32, template(), u32(0x1080), Buffer.alloc(80, 1)), "0xb0"],
    ["how long the reply would be", [u32(1), ...values(32, template()).slice(1)], "0x54"],
    ["one value less", values(32, template()).slice(0, 4), "0x7"],
    ["one value more", [...values(32, template()), Buffer.alloc(0)], "0x7"],
  ])("refuses %s", (_title, parameters, returnValue) => {
    expect(new Card().call(ep11(21, parameters))).toBe(returnValue);
  });
});

describe("EncryptSingle and DecryptSingle", () => {
  /** NIST SP 800-38A, F.1.1, F.2.1, F.2.5. */
  const plain = bytes("6bc1bee22e409f96e93d7e117393172a");
  const key128 = bytes("2b7e151628aed2a6abf7158809cf4f3c");
  const key256 = bytes("603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4");
  const iv = bytes("000102030405060708090a0b0c0d0e0f");
  test.each<[string, Buffer, Buffer, string]>([
    ["ECB, 128 bits", key128, mechanism(0x1081), "3ad77bb40d7a3660a89ecaf32466ef97"],
    ["CBC, 128 bits", key128, mechanism(0x1082, iv), "7649abac8119b246cee98e9b12e9197d"],
    ["CBC, 256 bits", key256, mechanism(0x1082, iv), "f58c4c04d6e5f1ba779eabfb5f7bfbd6"],
  ])("%s, give what the standard's example gives", (_title, key, how, expected) => {
    const card = new Card();
    const [blob] = card.import(key);
    expect(card.values(ep11Encrypt(how, blob!, plain))).toEqual([bytes(expected)]);
    expect(card.values(ep11Decrypt(how, blob!, bytes(expected)))).toEqual([plain]);
  });

  test.each([0, 1, 15, 16, 17, 255, 4096])("with padding %i bytes come back, from the next whole block", (length) => {
    const card = new Card();
    const blob = card.generate(24, useKey);
    const data = Buffer.alloc(length, 0x5a);
    const [encrypted] = card.values(ep11Encrypt(cbcPad(iv), blob, data));
    expect(encrypted).toHaveLength(length - (length % 16) + 16);
    expect(card.values(ep11Decrypt(cbcPad(iv), blob, encrypted!))).toEqual([data]);
  });

  test("refuse what is not of whole blocks, and a padding that is none", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    for (const how of [mechanism(0x1081), mechanism(0x1082, iv)]) {
      expect(card.call(ep11Encrypt(how, blob, plain.subarray(1)))).toBe("0x21");
      expect(card.call(ep11Encrypt(how, blob, Buffer.alloc(0)))).toBe("0x21");
    }
    for (const how of [mechanism(0x1081), mechanism(0x1082, iv), cbcPad(iv)]) {
      expect(card.call(ep11Decrypt(how, blob, plain.subarray(1)))).toBe("0x41");
      expect(card.call(ep11Decrypt(how, blob, Buffer.alloc(0)))).toBe("0x41");
    }
    for (const end of ["00", "11", "0102", "ff", "11".repeat(16)]) {
      const content = Buffer.concat([Buffer.alloc(16 - end.length / 2, 0x33), bytes(end)]);
      const [encrypted] = card.values(ep11Encrypt(mechanism(0x1082, iv), blob, content));
      expect(card.call(ep11Decrypt(cbcPad(iv), blob, encrypted!))).toBe("0x40");
    }
  });

  test("refuse another mechanism, or one with another parameter", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    expect(card.call(ep11Encrypt(mechanism(0x1087, iv), blob, plain))).toBe("0x70");
    expect(card.call(ep11Encrypt(mechanism(0x1081, iv), blob, plain))).toBe("0x71");
    expect(card.call(ep11Encrypt(mechanism(0x1082), blob, plain))).toBe("0x71");
    expect(card.call(ep11Decrypt(cbcPad(iv.subarray(1)), blob, plain))).toBe("0x71");
  });

  test("need the attribute of their own", () => {
    const card = new Card();
    const encrypted = card.values(ep11Encrypt(cbcPad(iv), card.generate(32, 0x800), plain))[0]!;
    expect(card.call(ep11Encrypt(cbcPad(iv), card.generate(32, 0x6400), plain))).toBe("0x68");
    expect(card.call(ep11Decrypt(cbcPad(iv), card.generate(32, 0x6800), encrypted))).toBe("0x68");
  });
});

describe("a key blob", () => {
  const iv = Buffer.alloc(16);
  const use = (card: Card, blob: Uint8Array) => card.call(ep11Encrypt(cbcPad(iv), blob, Buffer.from("text")));

  test("does not show the key, and looks new each time", () => {
    const card = new Card();
    const value = Buffer.from("a key of sixteen");
    const [first, second] = [card.import(value)[0]!, card.import(value)[0]!];
    for (const blob of [first, second]) expect(blob.includes(value.subarray(0, 6))).toBe(false);
    expect(first.subarray(66)).not.toEqual(second.subarray(66));
    expect(use(card, first)).toEqual(use(card, second));
  });

  test("is refused when one bit of it is another; in its pattern, as one of other keys", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    for (let at = 0; at < blob.length; at++) {
      const altered = Buffer.from(blob);
      altered[at]! ^= 1 << (at % 8);
      expect([at, use(card, altered)]).toEqual([at, at >= 32 && at < 48 ? "0x80010001" : "0x40"]);
    }
  });

  test("is refused when it is longer, shorter or nothing", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    for (const wrong of [
      blob.subarray(1),
      blob.subarray(0, 255),
      Buffer.concat([blob, Buffer.alloc(1)]),
      Buffer.alloc(0),
      Buffer.alloc(40),
    ]) {
      expect(use(card, wrong)).toBe("0x40");
    }
  });

  test("is refused under another wrapping key until its own is there again", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    const result = use(card, blob);
    expect(result).toHaveLength(1);
    card.keys = only(otherKey);
    expect(use(card, blob)).toBe("0x80010001");
    card.keys = { current: otherKey, next: { key: wrappingKey, isCommitted: true } };
    expect(use(card, blob)).toBe("0x80010001");
    card.keys = only(Buffer.from(wrappingKey));
    expect(use(card, blob)).toEqual(result);
  });

  test("neither comes from a domain without a wrapping key nor opens there", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    card.keys = { current: undefined, next: { key: wrappingKey, isCommitted: true } };
    expect(use(card, blob)).toBe("0x80010009");
    expect(card.call(ep11GenerateKey(32, useKey))).toBe("0x80010009");
    expect(card.call(ep11Info(3))).toHaveLength(1);
  });
});

describe("WrapKey by the CPACF mechanism", () => {
  const special: Ep11Options = { api: 4, flags: 0x20 };

  test.each([16, 24, 32])("gives what Linux reads a protected key of %i bytes and 32 more from", (keyBytes) => {
    const card = new Card();
    const value = Buffer.alloc(keyBytes, 0x77);
    const [blob] = card.import(value);
    const [info] = card.values(ep11WrapKey(cpacf, blob!, undefined, special)) as [Buffer];
    expect([info.readUInt16BE(0), info.readUInt32BE(18), info.readUInt32BE(22)]).toEqual([1, 1, keyBytes * 8]);
    expect([info.readBigUInt64BE(26), info.length]).toEqual([BigInt(keyBytes + 32), 42 + keyBytes + 32]);
    expect(info.includes(value.subarray(0, 8))).toBe(false);
    // The same for the same key, and from the same machine.
    const [again] = card.values(ep11WrapKey(cpacf, card.import(value)[0]!, undefined, special));
    expect(again).toEqual(info);
    const [other] = card.values(ep11WrapKey(cpacf, card.import(Buffer.alloc(keyBytes, 0x78))[0]!, undefined, special)) as [Buffer];
    expect(other.subarray(42, 42 + keyBytes)).not.toEqual(info.subarray(42, 42 + keyBytes));
    expect(other.subarray(42 + keyBytes)).toEqual(info.subarray(42 + keyBytes));
    const [elsewhere] = new Card().values(ep11WrapKey(cpacf, blob!, undefined, special));
    expect(elsewhere!.subarray(42)).not.toEqual(info.subarray(42));
  });

  test("needs the special bit, the API that has it, and a key that may become one", () => {
    const card = new Card();
    const blob = card.generate(32, useKey);
    expect(card.call(ep11WrapKey(cpacf, blob, undefined, { api: 4 }))).toBe("0x50");
    expect(card.call(ep11WrapKey(cpacf, blob, undefined, { api: 1, flags: 0x20 }))).toBe("0x70");
    expect(card.call(ep11WrapKey(cpacf, card.generate(32, 0xc01), undefined, special))).toBe("0x6a");
    expect(card.call(ep11WrapKey(mechanism(0x80060001, Buffer.alloc(8)), blob, undefined, special))).toBe("0x71");
    expect(card.call(ep11WrapKey(cpacf, blob, blob, special))).toBe("0x7");
    expect(card.call(ep11WrapKey(mechanism(0x80060001), blob, undefined, special))).toHaveLength(1);
  });
});

describe("WrapKey and UnwrapKey by another key", () => {
  test("Linux's way to import a clear key gives that key, its check value and its bits", () => {
    const card = new Card();
    for (const [keyBytes, expected] of [
      [16, "66e94b 00000080"],
      [24, "aae069 000000c0"],
      [32, "dc95c0 00000100"],
    ] as const) {
      const [blob, checked] = card.import(Buffer.alloc(keyBytes));
      expect(checked).toEqual(bytes(expected));
      // Not made inside, and not said never to have been extractable.
      expect(blob!.readUInt32BE(52)).toBe(useKey);
    }
  });

  test("a key that goes out comes back", () => {
    const card = new Card();
    const wrappingBlob = card.generate(32, 0x6000);
    const blob = card.generate(24, 0xc01);
    const how = cbcPad(defaultIv);
    const [wrapped] = card.values(ep11WrapKey(how, blob, wrappingBlob));
    expect(wrapped).toHaveLength(32);
    const [back] = card.values(ep11UnwrapKey({ how, wrappingBlob, wrapped: wrapped!, keyBytes: 24, attributes: 0xc00 }));
    const encrypted = card.values(ep11Encrypt(how, blob, Buffer.from("text")))[0]!;
    expect(card.values(ep11Decrypt(how, back!, encrypted))).toEqual([Buffer.from("text")]);
  });

  test("wrapping needs a key that may go out, one that may wrap, and whole blocks without padding", () => {
    const card = new Card();
    const how = cbcPad(defaultIv);
    const wrappingBlob = card.generate(32, 0x6000);
    expect(card.call(ep11WrapKey(how, card.generate(32, useKey), wrappingBlob))).toBe("0x6a");
    expect(card.call(ep11WrapKey(how, card.generate(32, 0xc01), card.generate(32, 0x2c00)))).toBe("0x68");
    expect(card.call(ep11WrapKey(mechanism(0x1082, defaultIv), card.generate(24, 0xc01), wrappingBlob))).toBe("0x62");
    expect(card.call(ep11WrapKey(how, card.generate(32, 0xc01)))).toBe("0x40");
    expect(card.call(ep11WrapKey(mechanism(0x1087), card.generate(32, 0xc01)))).toBe("0x70");
    expect(card.call(ep11(33, [u32(0), how, card.generate(32, 0xc01), wrappingBlob, wrappingBlob]))).toBe("0x7");
  });

  test("unwrapping needs a key that may unwrap and what is a key afterwards", () => {
    const card = new Card();
    const how = cbcPad(defaultIv);
    const wrappingBlob = card.generate(32, 0x6c00);
    const wrapped = (value: Uint8Array): Buffer => card.values(ep11Encrypt(how, wrappingBlob, value))[0]!;
    const key = wrapped(Buffer.alloc(32));
    const unwrap = (change: Partial<Parameters<typeof ep11UnwrapKey>[0]>) =>
      card.call(ep11UnwrapKey({ how, wrappingBlob, wrapped: key, keyBytes: 32, ...change }));
    expect(unwrap({})).toHaveLength(2);
    expect(unwrap({ wrappingBlob: card.generate(32, 0x4c00) })).toBe("0x68");
    expect(unwrap({ keyBytes: 16 })).toBe("0xd1");
    expect(unwrap({ wrapped: wrapped(Buffer.alloc(20)) })).toBe("0x112");
    expect(unwrap({ wrapped: key.subarray(1) })).toBe("0x112");
    expect(unwrap({ wrapped: key.subarray(0, 32) })).toBe("0x110");
    expect(unwrap({ how: mechanism(0x1087, defaultIv) })).toBe("0x70");
    const nothing = Buffer.alloc(0);
    expect(card.call(ep11(34, [u32(0x10000000, 0, 0), how, wrappingBlob, nothing, nothing, key]))).toBe("0xd0");
    expect(card.call(ep11(34, [u32(0x10010000, 0, 0, 0x100, 0x13), how, wrappingBlob, nothing, nothing, key]))).toBe("0xd1");
    expect(card.call(ep11(34, [u32(0x10010000, 0, 0, 0x100, 0x1f), how, wrappingBlob, key, nothing, key]))).toBe("0x7");
    expect(card.call(ep11(34, [u32(0x10010000, 0, 0, 0x100, 0x1f), how, wrappingBlob, nothing, key, key]))).toBe("0xb0");
  });
});

describe("requests that ask for something else", () => {
  test("a function that is not there is not supported", () => {
    for (const id of [0, 1, 4, 22, 30, 36, 39, 41, 0xffff]) expect(new Card().call(ep11(id, []))).toBe("0x54");
  });

  test("an API that the adapter does not speak is a mismatch", () => {
    expect(new Card().call(ep11Info(1, { api: 7 }))).toBe("0x80010013");
    expect(new Card().call(ep11Info(1, { api: 0 }))).toBe("0x80010013");
    expect(new Card(adapterProfile(12, "ep11")).call(ep11Info(1, { api: 4 }))).toBe("0x80010013");
    expect(new Card(adapterProfile(13, "ep11")).call(ep11Info(1, { api: 4 }))).toHaveLength(1);
  });

  test("another domain than the queue's, in the CPRB or in the payload, is an invalid domain", () => {
    expect(new Card().reply(ep11Info(3, { domain: 5 }))).toEqual(error(0x8a));
    expect(new Card().reply(ep11Info(3, { payloadDomain: 5 }))).toEqual(error(0x8a));
    expect(new Card().reply(ep11Info(3, { domain: 0x10004 }))).toEqual(error(0x8a));
  });

  test("administration is not supported for a domain that the sender may use or control, others are invalid", () => {
    const administer = (domain: number): Buffer => ep11(41, [u32(10)], { domain, flags: 0x80 });
    for (const domain of [4, 7, 9]) expect(new Card().call(administer(domain))).toBe("0x54");
    for (const domain of [5, 0x100, 0xffffffff]) expect(new Card().reply(administer(domain))).toEqual(error(0x8a));
    expect(new Card().call(ep11Info(1, { flags: 0x80 }))).toBe("0x54");
  });
});

describe("a reply that would be longer than the caller takes", () => {
  test("gives way to the return value for that", () => {
    const room = 32 + 22 + 4 + 196;
    expect(new Card().call(ep11Info(1, { replyBytes: room }))).toHaveLength(1);
    expect(new Card().call(ep11Info(1, { replyBytes: room - 1 }))).toBe("0x80010010");
    expect(new Card().call(ep11Info(1, { replyBytes: 54 }))).toBe("0x80010010");
  });

  test("is an error where not even that fits", () => {
    for (const replyBytes of [0, 53]) expect(new Card().reply(ep11Info(1, { replyBytes }))).toEqual(error(0xa0));
    expect(new Card().reply(ep11(99, [], { replyBytes: 53 }))).toEqual(error(0xa0));
  });
});

describe("an envelope", () => {
  const changed = (offset: number, ...values: number[]): Buffer => {
    const message = ep11Info(1);
    message.set(values, offset);
    return message;
  };

  test.each<[string, Buffer, number]>([
    ["nothing", Buffer.alloc(0), 0x23],
    ["of another type", changed(1, 0x50), 0x20],
    ["without a CPRB", ep11Info(1).subarray(0, 119), 0x23],
    ["shorter than it says", ep11Info(1).subarray(0, 147), 0x23],
    ["with a block behind the end of the message", changed(56, 0, 0, 0, 0x3d), 0x23],
    ["with a block shorter than a CPRB", changed(56, 0, 0, 0, 31), 0x23],
    ["with a block of 4 GiB", changed(56, 0xff, 0xff, 0xff, 0xff), 0x23],
    ["with another offset", changed(19, 0x5c), 0x29],
    ["for a CCA coprocessor", changed(32, 0x43, 0x41), 0x22],
    ["with a CPRB of another length", changed(88, 0, 0xdc), 0x29],
    ["with a CPRB of another version", changed(90, 2), 0x29],
    ["with a CPRB of another kind", changed(94, 0x54, 0x32), 0x29],
    ["with a payload behind the block", changed(119, 0x1d), 0x23],
    ["with a payload of 4 GiB", changed(116, 0xff, 0xff, 0xff, 0xff), 0x23],
    ["with a payload shorter than its sequence", changed(119, 0x1b), 0x22],
    ["without a payload", ep11Raw(Buffer.alloc(0)), 0x22],
    ["without a function", ep11Raw(bytes("3000")), 0x22],
    ["without a domain", ep11Raw(Buffer.concat([bytes("3006"), octets(u32(0x10026))])), 0x22],
    ["with a function of three bytes", ep11Raw(bytes("300b 0403 010026 0404 00000004")), 0x22],
  ])("%s, has an error of its own", (_title, message, code) => {
    expect(new Card().reply(message)).toEqual(error(code));
  });

  test("may have padding behind its block", () => {
    expect(new Card().call(Buffer.concat([ep11Info(1), Buffer.alloc(3)]))).toHaveLength(1);
  });
});
