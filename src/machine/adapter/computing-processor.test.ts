import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printSeed, runParameters } from "../../../test/properties/seed.ts";
import {
  generateTestKey,
  icaCrt,
  icaPower,
  randomLong,
  type Type6Options,
  type50Crt,
  type50Power,
} from "../../../test/support/adapter-messages.ts";
import { Ep11Calls } from "../../../test/support/ep11-calls.ts";
import { dqap, nqap } from "../../../test/support/instructions.ts";
import {
  facilityQuery,
  generateCipherKey,
  generateDataKey,
  importDataKey,
  importKeyPart,
  masterKey,
  skeleton,
  tokenOf,
  unwrapCipherKey,
  unwrapDataKey,
} from "../../../test/support/key-messages.ts";
import { apqn } from "../../ap/apqn.ts";
import { PqapFlag } from "../../ap/platform.ts";
import { type Mode, Modes } from "../../ap/queue-info.ts";
import { type AdapterProfile, adapterProfile } from "../adapter-profile.ts";
import { fullMachine } from "../lpar.ts";
import { Machine } from "../machine.ts";
import { KeyStore } from "../secrets/key-store.ts";
import { kindsOf } from "../secrets/master-key.ts";
import { loadTestKey } from "../secrets/test-keys.ts";
import { computingProcessor } from "./computing-processor.ts";

printSeed("src/machine/adapter/computing-processor.test.ts");

const key = generateTestKey(1024);
const value = Buffer.alloc(128, 0x11);
const encrypted = key.encrypt(value);
const options: Type6Options = { domain: 4 };
const profiles: Readonly<Record<Mode, AdapterProfile>> = {
  accelerator: adapterProfile(13, "accelerator"),
  cca: adapterProfile(13, "cca"),
  ep11: adapterProfile(14, "ep11"),
};
const clearKey = Buffer.alloc(32, 0x22);
const [dataToken, cipherToken, partialToken] = tokens();

const ep11Calls = new Ep11Calls((message) => exchange(machineWith("ep11"), message));

/** Messages that the mode takes, each with what its reply ends with. */
const goodMessages: Readonly<Record<Mode, readonly (readonly [Buffer, Buffer])[]>> = {
  accelerator: [
    [type50Power(1, key.e, key.n, value), encrypted],
    [type50Crt(1, key, encrypted), value],
    [type50Power(2, key.e, key.n, value), encrypted],
    [type50Crt(3, key, encrypted), value],
  ],
  cca: [
    [icaPower(key.e, key.n, value, options), Buffer.concat([encrypted, Buffer.of(0, 2)])],
    [icaCrt(128, key, encrypted, options), Buffer.concat([value, Buffer.of(0, 2)])],
    [randomLong(options), Buffer.alloc(0)],
    [facilityQuery("STATICSA"), Buffer.of(0, 2)],
    [facilityQuery("STATICSB"), Buffer.of(0, 2)],
    [generateDataKey(24), Buffer.alloc(0)],
    [importDataKey(clearKey), dataToken],
    [unwrapDataKey(dataToken), Buffer.of(0, 2)],
    [generateCipherKey(192), Buffer.alloc(0)],
    [importKeyPart("FIRST   MIN3PART", clearKey, skeleton()), Buffer.alloc(0)],
    [importKeyPart("ADD-PART", clearKey, partialToken), Buffer.alloc(0)],
    [unwrapCipherKey(cipherToken), Buffer.of(0, 2)],
    [masterKey("APKA", "FIRST", clearKey), Buffer.of(0, 2)],
  ],
  ep11: ep11Calls.good,
};

function machineWith(mode: Mode): Machine {
  const keys = new KeyStore();
  for (const kind of kindsOf(mode)) loadTestKey(keys, 5, 4, kind);
  const machine = new Machine(fullMachine, () => 0, computingProcessor({ keys }));
  machine.addAdapter(5, profiles[mode]);
  machine.setUsageDomain(4, true);
  machine.setControlDomain(4, true);
  return machine;
}

/** An AES DATA key, an AES CIPHER key and one with a part still to come, as any machine with the test keys makes them. */
function tokens(): [Buffer, Buffer, Buffer] {
  const machine = machineWith("cca");
  const messages = [importDataKey(clearKey), generateCipherKey(256), importKeyPart("FIRST   MIN2PART", clearKey, skeleton())];
  return messages.map((message) => tokenOf(exchange(machine, message))) as [Buffer, Buffer, Buffer];
}

/** Sends a message and takes its reply. */
function exchange(machine: Machine, message: Uint8Array): Buffer {
  expect(nqap(machine, apqn(5, 4), message, { flags: isSpecial(message) ? PqapFlag.f : 0 }).responseCode).toBe(0);
  const answer = dqap(machine, apqn(5, 4), { room: 12 * 1024 });
  expect(answer.responseCode).toBe(0);
  return Buffer.from(answer.reply);
}

/** As the driver sets it, by a flag of the CPRB of EP11. */
function isSpecial(message: Uint8Array): boolean {
  return message[32] === 0x58 && ((message[93] ?? 0) & 0x20) !== 0;
}

/** As a driver takes it: the length in the reply's own headers is the length that came. */
function checkLength(reply: Buffer): void {
  const type = reply[1]!;
  expect([0x80, 0x82, 0x86, 0x88]).toContain(type);
  if (type === 0x82 || type === 0x88) return expect(reply).toHaveLength(8);
  if (type === 0x80) {
    expect([144, 272, 528]).toContain(reply.length);
    return expect(reply.readUInt16BE(2)).toBe(reply.length);
  }
  const [count1, offset1, count2, offset2] = [16, 20, 24, 28].map((offset) => reply.readUInt32BE(offset)) as [
    number,
    number,
    number,
    number,
  ];
  expect(isEp11(reply) ? offset1 + count1 : offset2 + count2).toBe(reply.length);
}

/** Of type 86, by the length of the CPRB. */
const isEp11 = (reply: Buffer): boolean => reply.readUInt16BE(48) === 0x20;

/** Its type, with the code of an error, the return and reason codes of a verb or the return value of a function. */
function replyKind(reply: Buffer): string {
  const type = reply[1]!.toString(16);
  if (type === "86" && isEp11(reply)) return `86 ${reply.readUInt32BE(98).toString(16)}`;
  if (type === "86") return `86 ${reply.readUInt16BE(192)}/${reply.readUInt16BE(194)}`;
  return type === "80" ? type : `${type} ${reply[4]!.toString(16)}`;
}

const messageCount = 10_000;

/** What altered messages must have led to, else they test little. */
const kinds: Readonly<Record<Mode, readonly string[]>> = {
  accelerator: ["80", "88 20", "88 23", "88 24", "88 34", "88 84", "88 85"],
  cca: [
    "86 0/0",
    "86 8/29",
    "86 8/33",
    "86 8/34",
    "86 8/47",
    "86 8/48",
    "86 8/65",
    "86 8/72",
    "86 8/90",
    "82 20",
    "82 22",
    "82 23",
    "82 29",
    "82 8a",
    "82 a0",
  ],
  ep11: [
    ...["82 20", "82 22", "82 23", "82 29", "82 8a", "82 a0", "86 0", "86 7", "86 12", "86 40", "86 50", "86 54", "86 70", "86 b0"],
    ...["86 80010001", "86 80010010", "86 80010013"],
  ],
};

describe.each(Modes)("an adapter of mode %s", (mode) => {
  test("answers what its drivers send, by NQAP and DQAP", () => {
    const machine = machineWith(mode);
    for (const [message, end] of goodMessages[mode]) {
      const reply = exchange(machine, message);
      checkLength(reply);
      expect(reply.subarray(reply.length - end.length)).toEqual(end);
    }
  });

  test("replies to each of 10,000 altered messages, and to a good one after them", () => {
    const machine = machineWith(mode);
    const messages = Object.values(goodMessages).flatMap((all) => all.map(([message]) => message));
    const own = goodMessages[mode].map(([message]) => message);
    const base = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...own) }, { weight: 1, arbitrary: fc.constantFrom(...messages) });
    const edit = fc.record({
      // The envelope is short, most of a message is key and value.
      at: fc.oneof(fc.nat({ max: 400 }), fc.nat({ max: 2000 })),
      bytes: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        fc.constantFrom(Buffer.alloc(2), Buffer.alloc(4, 0xff), Buffer.of(0, 2)),
      ),
    });
    const cut = fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 2000 }) });
    const altered = fc.tuple(base, fc.array(edit, { maxLength: 4 }), cut).map(([original, edits, length]) => {
      const message = Buffer.from(original);
      for (const { at, bytes } of edits) message.set(bytes, at % (message.length - 4));
      return length === null ? message : message.subarray(0, length % (message.length + 1));
    });
    const anything = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    const arbitraries = [
      { weight: 15, arbitrary: altered },
      { weight: 1, arbitrary: anything },
      { weight: mode === "ep11" ? 5 : 0, arbitrary: ep11Calls.any },
    ];
    const replies = new Set<string>();
    const parameters = runParameters(messageCount);
    fc.assert(
      fc.property(fc.oneof(...arbitraries), (message) => {
        const reply = exchange(machine, message);
        checkLength(reply);
        replies.add(replyKind(reply));
      }),
      { ...parameters, numRuns: Math.max(messageCount, parameters.numRuns) },
    );
    expect([...replies]).toEqual(expect.arrayContaining([...kinds[mode]]));
    const [good, end] = goodMessages[mode][0]!;
    expect(exchange(machine, good).subarray(-end.length)).toEqual(end);
  });
});
