import { createDecipheriv, createHash, createHmac } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import {
  codesOf,
  generateCipherKey,
  generateDataKey,
  importDataKey,
  importKeyPart,
  partsOf,
  skeleton,
  tokenOf,
  unwrapCipherKey,
  unwrapDataKey,
} from "../../../../test/support/key-messages.ts";
import { Mask } from "../../../ap/mask.ts";
import { adapterProfile } from "../../adapter-profile.ts";
import { QueueEpoch } from "../../queue-epoch.ts";
import { KeyStore } from "../../secrets/key-store.ts";
import { settingOf } from "../../secrets/test-keys.ts";
import { computingProcessor } from "../computing-processor.ts";

const masterKey = Uint8Array.from({ length: 32 }, (_, index) => index);
const otherMasterKey = new Uint8Array(32).fill(0x77);
const domains = { usageDomains: Mask.of(4), controlDomains: Mask.none };
const profile = adapterProfile(13, "cca");

let store: KeyStore;
let send: (message: Uint8Array) => Buffer;
const set = (key: Uint8Array): void => void store.change(5, 4, "aes", settingOf("aes", key));

beforeEach(() => {
  store = new KeyStore();
  const processor = computingProcessor({ keys: store });
  send = (message) => {
    const replies: Uint8Array[] = [];
    const sent = Buffer.from(message);
    processor({ adapter: 5, domain: 4, profile, message, isSpecial: false, epoch: new QueueEpoch(), ...domains }, (reply) =>
      replies.push(reply),
    );
    expect(replies).toHaveLength(1);
    expect(sent.equals(message), "the sender's memory stays as it is").toBe(true);
    return Buffer.from(replies[0]!);
  };
  set(masterKey);
});

const pattern = createHash("sha256").update(Buffer.of(1)).update(masterKey).digest().subarray(0, 8);
const someKey = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, index) => 0xa0 + index));
const sizes = [16, 24, 32] as const;

/** Imports a key as the kernel does: the parts, then COMPLETE. */
function importedCipherToken(parts: readonly Uint8Array[], of: Buffer = skeleton()): Buffer {
  let token = of;
  for (const [index, part] of parts.entries()) {
    const reply = send(importKeyPart(index === 0 ? "FIRST   MIN3PART" : "ADD-PART", part, token));
    expect(codesOf(reply)).toBe("0/0");
    token = tokenOf(reply);
  }
  const reply = send(importKeyPart("COMPLETE", Buffer.alloc(0), token));
  expect(codesOf(reply)).toBe("0/0");
  return tokenOf(reply);
}

/** What US and AU answer, or the codes. */
function protectedKey(message: Buffer): Buffer | string {
  const reply = send(message);
  if (codesOf(reply) !== "0/0") return codesOf(reply);
  const { rules, data, key } = partsOf(reply);
  expect([rules.length, data.length, data.readUInt16BE(0), key.length]).toEqual([0, 146, 146, 0]);
  return data.subarray(4);
}

describe("AES DATA keys", () => {
  // Made with Python's hmac and hashlib and with `openssl enc -aes-256-cbc` from the description in aes-data-token.ts.
  test.each([
    [
      16,
      "010000000400c000491176b0f443c65a203eced20ea656c21e92111af31e4486ebd7c8f1d2eeb9dc2f3b83108c849767000000000000000000800020816ac1d5",
    ],
    [
      24,
      "010000000400c000491176b0f443c65a63c34dc9958c84a1ea6c1f70b4654dab03920ba0580de8b9d7cb8c7caf3b2489000000000000000000c00020fbdd5d97",
    ],
    [
      32,
      "010000000400c000491176b0f443c65a70f8793e1d1d97b5903a37f295aa03fced8d5ee9be0f3a678b253a6369e69b02000000000000000001000020bd74dcbf",
    ],
  ])("CM of %i bytes gives the token of that key under that master key", (bytes, token) => {
    const reply = send(importDataKey(someKey(bytes)));
    expect(codesOf(reply)).toBe("0/0");
    expect(reply.subarray(268, 280).toString("hex")).toBe("434d00020002004600440030");
    expect(tokenOf(reply).toString("hex")).toBe(token);
    expect(reply).toHaveLength(280 + 64);
  });

  test.each(sizes)("KG of %i bytes gives another key each time, in a token as the kernel checks it", (bytes) => {
    const [first, second] = [send(generateDataKey(bytes)), send(generateDataKey(bytes))];
    expect([codesOf(first), first.toString("latin1", 268, 270), first.readUInt16BE(276)]).toEqual(["0/0", "KG", 68]);
    const token = tokenOf(first);
    expect([token.length, token[0], token[4], token.readUInt16BE(56)]).toEqual([64, 1, 4, 8 * bytes]);
    expect(token.subarray(8, 16)).toEqual(pattern);
    expect(token).not.toEqual(tokenOf(second));
  });

  test.each(sizes)("US of a key of %i bytes gives a key block that is the same for the same key, and is not the key", (bytes) => {
    const token = tokenOf(send(importDataKey(someKey(bytes))));
    const block = protectedKey(unwrapDataKey(token)) as Buffer;
    expect(block).toHaveLength(142);
    expect([block[0], block[3], block.readUInt16BE(8)]).toEqual([1, 2, bytes + 32]);
    expect(block.subarray(10 + bytes, 42 + bytes)).toEqual(block.subarray(110));
    expect(block.indexOf(someKey(bytes))).toBe(-1);
    expect(block.subarray(42 + bytes, 110)).toEqual(Buffer.alloc(68 - bytes));
    expect(protectedKey(unwrapDataKey(token))).toEqual(block);
    expect(protectedKey(unwrapDataKey(tokenOf(send(generateDataKey(bytes)))))).not.toEqual(block);
  });

  test("a token with one altered bit is refused, whichever it is", () => {
    for (const bytes of sizes) {
      const token = tokenOf(send(importDataKey(someKey(bytes))));
      const answers = new Set<string>();
      for (let bit = 0; bit < 512; bit++) {
        const altered = Buffer.from(token);
        altered[bit >> 3]! ^= 0x80 >> (bit & 7);
        const answer = protectedKey(unwrapDataKey(altered));
        expect(answer, `bit ${bit}`).toBeTypeOf("string");
        answers.add(answer as string);
      }
      expect([...answers].sort()).toEqual(["8/29", "8/47", "8/48", "8/49"]);
      expect(protectedKey(unwrapDataKey(token))).toHaveLength(142);
    }
  });

  test("a token that is cut or longer is refused", () => {
    const token = tokenOf(send(generateDataKey(32)));
    expect(protectedKey(unwrapDataKey(token.subarray(0, 63)))).toBe("8/47");
    expect(protectedKey(unwrapDataKey(Buffer.concat([token, Buffer.of(0)])))).toBe("8/47");
    expect(protectedKey(unwrapDataKey(Buffer.alloc(0)))).toBe("8/47");
  });
});

describe("AES CIPHER keys", () => {
  /** Opens a token from the description in aes-cipher-token.ts. */
  function opened(token: Buffer): Buffer {
    const key = createHmac("sha256", masterKey).update("AES CIPHER payload").digest();
    const decipher = createDecipheriv("aes-256-gcm", key, token.subarray(56, 68))
      .setAAD(token.subarray(0, 56))
      .setAuthTag(token.subarray(-16));
    return Buffer.concat([decipher.update(token.subarray(68, -16)), decipher.final()]);
  }

  test.each([
    [128, 0, 120, 512],
    [192, 0, 128, 576],
    [256, 0, 136, 640],
    [128, 1, 136, 640],
    [192, 1, 136, 640],
    [256, 1, 136, 640],
  ])("GK of %i bits with payload version %i gives a token of %i bytes", (bits, version, bytes, payloadBits) => {
    const reply = send(generateCipherKey(bits, skeleton(0x08c8, version)));
    expect([codesOf(reply), reply.subarray(268, 274).toString("hex")]).toEqual(["0/0", "474b00020002"]);
    expect([reply.readUInt16BE(274), reply.readUInt16BE(276)]).toEqual([bytes + 6, bytes + 4]);
    const token = tokenOf(reply);
    expect([token.length, token.readUInt16BE(2), token.readUInt16BE(38)]).toEqual([bytes, bytes, payloadBits]);
    expect(token.subarray(8, 26)).toEqual(Buffer.concat([Buffer.of(3, 1), pattern, Buffer.alloc(8)]));
    expect(token.subarray(40, 56)).toEqual(skeleton(0x08c8, version).subarray(40));
    const content = opened(token);
    expect(content[0]).toBe(bits / 8);
    expect(content.subarray(1 + bits / 8).every((byte) => byte === 0)).toBe(true);
  });

  test.each(sizes)("IP of parts of %i bytes gives their XOR, as the kernel imports a clear key", (bytes) => {
    const random = Buffer.alloc(bytes, 0x5c);
    const token = importedCipherToken([random, someKey(bytes), random]);
    expect(opened(token).subarray(1, 1 + bytes)).toEqual(someKey(bytes));
    expect(token.readUInt16BE(52)).toBe(0);
    const block = protectedKey(unwrapCipherKey(token));
    expect(block).toHaveLength(142);
    expect(block).toEqual(protectedKey(unwrapDataKey(tokenOf(send(importDataKey(someKey(bytes)))))));
  });

  test("a key is not complete before the last part that was asked for", () => {
    const part = Buffer.alloc(32, 1);
    const steps: readonly (readonly [string, string, string])[] = [
      ["FIRST   MIN3PART", "8/47", "c000"],
      ["ADD-PART", "8/47", "8000"],
      ["ADD-PART", "0/0", "4000"],
      ["ADD-PART", "0/0", "4000"],
    ];
    let token = skeleton();
    for (const [rules, completion, completeness] of steps) {
      token = tokenOf(send(importKeyPart(rules, part, token)));
      expect(token.toString("hex", 52, 54)).toBe(completeness);
      expect(protectedKey(unwrapCipherKey(token))).toBe("8/47");
      expect(codesOf(send(importKeyPart("COMPLETE", Buffer.alloc(0), token)))).toBe(completion);
    }
  });

  test("a complete key takes no part, a part has the key's length", () => {
    const part = Buffer.alloc(32, 1);
    const complete = importedCipherToken([part, part, part]);
    expect(codesOf(send(importKeyPart("ADD-PART", part, complete)))).toBe("8/47");
    expect(codesOf(send(importKeyPart("COMPLETE", Buffer.alloc(0), complete)))).toBe("8/47");
    expect(codesOf(send(importKeyPart("FIRST   MIN1PART", part, complete)))).toBe("8/47");
    const first = tokenOf(send(importKeyPart("FIRST   MIN2PART", part, skeleton())));
    expect(codesOf(send(importKeyPart("ADD-PART", part.subarray(8), first)))).toBe("8/72");
    expect(codesOf(send(importKeyPart("FIRST   MIN1PART", part.subarray(1), skeleton())))).toBe("8/72");
  });

  test("AU is refused for a key that may not be exported to the processor", () => {
    const token = tokenOf(send(generateCipherKey(256, skeleton(0x00c8))));
    expect(protectedKey(unwrapCipherKey(token))).toBe("8/39");
    token.writeUInt16BE(0x08c8, 50);
    expect(protectedKey(unwrapCipherKey(token))).toBe("8/47");
  });

  test("a token with one altered bit is refused, whichever it is", () => {
    for (const bits of [128, 256]) {
      const token = tokenOf(send(generateCipherKey(bits)));
      for (let bit = 0; bit < 8 * token.length; bit++) {
        const altered = Buffer.from(token);
        altered[bit >> 3]! ^= 0x80 >> (bit & 7);
        const answer = protectedKey(unwrapCipherKey(altered));
        expect(["8/47", "8/48", "8/49"], `bit ${bit}`).toContain(answer);
      }
      expect(protectedKey(unwrapCipherKey(token))).toHaveLength(142);
    }
  });
});

describe("without an AES master key", () => {
  test.each<[string, Buffer]>([
    ["KG", generateDataKey(32)],
    ["CM", importDataKey(someKey(16))],
    ["US", unwrapDataKey(Buffer.alloc(64))],
    ["GK", generateCipherKey(256)],
    ["IP", importKeyPart("FIRST   MIN3PART", someKey(32), skeleton())],
    ["AU", unwrapCipherKey(Buffer.alloc(136))],
  ])("%s is refused", (_verb, message) => {
    store.zeroize(5, 4);
    expect(codesOf(send(message))).toBe("12/764");
    store.change(5, 4, "aes", settingOf("aes", masterKey).slice(0, -1));
    expect(codesOf(send(message))).toBe("12/764");
  });
});

describe("a token under another master key", () => {
  const tokens = (): [string, (message: Buffer) => Buffer, Buffer][] => [
    ["US", unwrapDataKey, tokenOf(send(generateDataKey(32)))],
    ["AU", unwrapCipherKey, tokenOf(send(generateCipherKey(256)))],
  ];

  test("is used with a word of warning while that key is the old one, refused after it, and used when it is loaded again", () => {
    for (const [verb, use, token] of tokens()) {
      const block = protectedKey(use(token));
      set(otherMasterKey);
      const underOld = send(use(token));
      expect([verb, codesOf(underOld)]).toEqual([verb, "0/10001"]);
      expect(partsOf(underOld).data.subarray(4)).toEqual(block);
      set(new Uint8Array(32).fill(0x78));
      expect(protectedKey(use(token))).toBe("8/48");
      set(masterKey);
      expect(protectedKey(use(token))).toEqual(block);
    }
  });

  test("is refused by another domain and another adapter until they have the same key", () => {
    const token = tokenOf(send(generateDataKey(32)));
    const elsewhere = new KeyStore();
    const processor = computingProcessor({ keys: elsewhere });
    const answer = (): string => {
      let codes = "";
      const message = unwrapDataKey(token);
      processor({ adapter: 9, domain: 4, profile, message, isSpecial: false, epoch: new QueueEpoch(), ...domains }, (reply) => {
        codes = codesOf(Buffer.from(reply));
      });
      return codes;
    };
    expect(answer()).toBe("12/764");
    elsewhere.change(9, 4, "aes", settingOf("aes", otherMasterKey));
    expect(answer()).toBe("8/48");
    elsewhere.change(9, 4, "aes", settingOf("aes", masterKey));
    expect(answer()).toBe("0/0");
  });

  test("with parts still to come is wrapped anew under the current key", () => {
    const part = Buffer.alloc(32, 9);
    const first = tokenOf(send(importKeyPart("FIRST   MIN2PART", part, skeleton())));
    set(otherMasterKey);
    const reply = send(importKeyPart("ADD-PART", part, first));
    expect(codesOf(reply)).toBe("0/10001");
    expect(codesOf(send(importKeyPart("COMPLETE", Buffer.alloc(0), tokenOf(reply))))).toBe("0/0");
  });
});

describe("a bad request has a return and a reason code", () => {
  const changed = (message: Buffer, offset: number, ...values: number[]): Buffer => {
    message.set(values, offset);
    return message;
  };

  test.each<[string, Buffer, string]>([
    ["KG with a rule", changed(generateDataKey(16), 311, 10), "8/72"],
    ["KG of another type", changed(generateDataKey(16), 330, 0x58), "8/33"],
    ["KG of another form", changed(generateDataKey(16), 314, 0x58), "8/41"],
    ["KG of another length", changed(generateDataKey(16), 327, 0x37), "8/43"],
    ["KG without words", changed(generateDataKey(16), 313, 2), "8/72"],
    ["KG without key blocks", changed(generateDataKey(16), 346, 0, 2), "8/72"],
    ["CM of 15 bytes", importDataKey(someKey(15)), "8/72"],
    ["CM of nothing", importDataKey(Buffer.alloc(0)), "8/72"],
    ["CM of a DES key", changed(importDataKey(someKey(16)), 312, 0x44), "8/33"],
    ["US without a token", changed(unwrapDataKey(Buffer.alloc(64)), 318, 0, 2), "8/72"],
    ["GK of 100 bits", generateCipherKey(100), "8/72"],
    ["GK with a skeleton that is cut", generateCipherKey(128, skeleton().subarray(1)), "8/47"],
    ["GK with a token instead of a skeleton", generateCipherKey(128, Buffer.alloc(136)), "8/47"],
    ["GK for a DES key", changed(generateCipherKey(128), 312, 0x44), "8/33"],
    ["IP of another step", importKeyPart("LAST    ", someKey(16), skeleton()), "8/33"],
    ["IP with a least number for a further part", importKeyPart("ADD-PARTMIN3PART", someKey(16), skeleton()), "8/34"],
    ["IP of a further part into a skeleton", importKeyPart("ADD-PART", someKey(16), skeleton()), "8/47"],
    ["AU with another rule", changed(unwrapCipherKey(Buffer.alloc(136)), 312, 0x58), "8/33"],
    ["AU of an ECC token", unwrapCipherKey(Buffer.concat([Buffer.of(0x1f, 0, 0, 136), Buffer.alloc(132)])), "8/49"],
  ])("%s", (_, message, codes) => {
    expect(codesOf(send(message))).toBe(codes);
  });
});
