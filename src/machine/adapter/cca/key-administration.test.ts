import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { dqap, nqap } from "../../../../test/support/instructions.ts";
import {
  codesOf,
  facilityQuery,
  generateDataKey,
  masterKey,
  partsOf,
  tokenOf,
  unwrapDataKey,
} from "../../../../test/support/key-messages.ts";
import { apqn } from "../../../ap/apqn.ts";
import { Mask } from "../../../ap/mask.ts";
import type { ApPlatform } from "../../../ap/platform.ts";
import { VirtualMachine } from "../../../kvm/virtual-machine.ts";
import { adapterProfile } from "../../adapter-profile.ts";
import { fullMachine } from "../../lpar.ts";
import { Machine } from "../../machine.ts";
import { KeyStore } from "../../secrets/key-store.ts";
import { computingProcessor } from "../computing-processor.ts";

/** Adapter 5 with usage domains 4 and 8, control domains 4, 8 and 30; a guest that uses 4 and controls 30. */
function system() {
  const keys = new KeyStore();
  const machine = new Machine(fullMachine, () => 0, computingProcessor({ keys, machineName: "lpar1" }));
  for (const id of [5, 7]) machine.addAdapter(id, adapterProfile(13, "cca"));
  for (const domain of [4, 8]) machine.setUsageDomain(domain, true);
  for (const domain of [4, 8, 30]) machine.setControlDomain(domain, true);
  const guest = new VirtualMachine(machine);
  guest.setMasks({ adapters: Mask.of(5), usageDomains: Mask.of(4), controlDomains: Mask.of(30) });
  return { keys, machine, guest };
}

function send(platform: ApPlatform, message: Uint8Array, queue = apqn(5, 4)): Buffer {
  expect(nqap(platform, queue, message).responseCode).toBe(0);
  return Buffer.from(dqap(platform, queue, { room: 12288 }).reply);
}

const part = (byte: number, bytes = 32): Buffer => Buffer.alloc(bytes, byte);
const pattern = (key: Uint8Array, bytes: number): string =>
  createHash("sha256")
    .update(Buffer.of(1))
    .update(key)
    .digest("hex")
    .slice(0, 2 * bytes);

function load(platform: ApPlatform, kind: string, key: Buffer, domain: number): void {
  const steps: readonly (readonly [string, Buffer?])[] = [
    ["FIRST", key],
    ["MIDDLE", part(7, key.length)],
    ["LAST", part(7, key.length)],
    ["SET"],
  ];
  for (const [step, value] of steps) expect(codesOf(send(platform, masterKey(kind, step, value, { domain })))).toBe("0/0");
}

describe("loading a master key", () => {
  test("is a command that goes by a usage domain's queue and names a control domain", () => {
    const { guest, keys } = system();
    load(guest, "AES", part(3), 30);
    expect(keys.registers(5, 30, "aes").current).toEqual(Uint8Array.from(part(3)));
    expect(keys.registers(5, 4, "aes").current).toBeUndefined();
  });

  test.each(["T3", "T5", "T6", "T7"])("is taken with function id %s", (functionId) => {
    const { guest } = system();
    expect(codesOf(send(guest, masterKey("AES", "FIRST", part(1), { domain: 30, functionId })))).toBe("0/0");
  });

  test.each(["T2", "T4", "XX"])("is not authorized with function id %s", (functionId) => {
    const { machine } = system();
    expect(codesOf(send(machine, masterKey("AES", "FIRST", part(1), { domain: 4, functionId })))).toBe("8/90");
  });

  test("is not authorized for a domain that the guest only uses, and invalid for any other that its ADM lacks", () => {
    const { guest, keys } = system();
    expect(codesOf(send(guest, masterKey("AES", "FIRST", part(1), { domain: 4 })))).toBe("8/90");
    for (const domain of [8, 31, 255, 256, 0xffff]) {
      expect(codesOf(send(guest, masterKey("AES", "FIRST", part(1), { domain })))).toBe("82 8a");
    }
    for (const domain of [4, 8, 31, 255]) expect(keys.registers(5, domain, "aes").next).toBeUndefined();
  });

  test("follows the guest's masks and the LPAR's", () => {
    const { guest, machine } = system();
    const query = (): string => codesOf(send(guest, masterKey("AES", "QUERY", part(0, 0), { domain: 30 })));
    expect(query()).toBe("0/0");
    machine.setControlDomain(30, false);
    expect(query()).toBe("82 8a");
    machine.setControlDomain(30, true);
    guest.setMasks({ ...guest.masks, controlDomains: Mask.none });
    expect(query()).toBe("82 8a");
  });

  test("in the LPAR itself needs the control domain, too", () => {
    const { machine } = system();
    machine.setControlDomain(8, false);
    expect(codesOf(send(machine, masterKey("AES", "QUERY", part(0, 0), { domain: 8 })))).toBe("8/90");
    expect(codesOf(send(machine, masterKey("AES", "QUERY", part(0, 0), { domain: 30 })))).toBe("0/0");
  });

  test("answers with states and patterns, and never with a key", () => {
    const { machine } = system();
    const first = send(machine, masterKey("AES", "FIRST", part(3)));
    expect(partsOf(first).rules.toString()).toBe("2       1       1       ");
    expect(partsOf(first).data).toEqual(Buffer.alloc(24));
    const last = send(machine, masterKey("AES", "LAST", part(1)));
    expect(partsOf(last).rules.toString()).toBe("3       1       1       ");
    expect(partsOf(last).data.toString("hex")).toBe(pattern(part(2), 8) + "00".repeat(16));
    const set = send(machine, masterKey("AES", "SET"));
    expect(partsOf(set).rules.toString()).toBe("1       2       1       ");
    expect(partsOf(set).data.toString("hex")).toBe("00".repeat(8) + pattern(part(2), 8) + "00".repeat(8));
  });

  test.each<[string, Buffer, string]>([
    ["a part of another length", masterKey("AES", "FIRST", part(1, 31)), "8/72"],
    ["a last part before the first", masterKey("AES", "LAST", part(1)), "8/34"],
    ["setting what is not there", masterKey("AES", "SET"), "8/34"],
    ["a part that comes with SET", masterKey("AES", "SET", part(1)), "8/72"],
    ["a step that there is not", masterKey("AES", "SECOND", part(1)), "8/33"],
    ["a key that there is not", masterKey("DES", "FIRST", part(1)), "8/33"],
    ["EP11's key", masterKey("EP11", "FIRST", part(1)), "8/33"],
  ])("refuses %s", (_, message, codes) => {
    const { machine, keys } = system();
    expect(codesOf(send(machine, message))).toBe(codes);
    expect(keys.registers(5, 4, "aes")).toEqual({ next: undefined, current: undefined, old: undefined });
  });

  test("makes keys usable at once, for that adapter and domain alone", () => {
    const { machine } = system();
    expect(codesOf(send(machine, generateDataKey(32)))).toBe("12/764");
    load(machine, "AES", part(3), 4);
    const token = tokenOf(send(machine, generateDataKey(32)));
    expect(codesOf(send(machine, unwrapDataKey(token)))).toBe("0/0");
    expect(codesOf(send(machine, unwrapDataKey(token), apqn(7, 4)))).toBe("12/764");
    expect(codesOf(send(machine, unwrapDataKey(token, { domain: 8 }), apqn(5, 8)))).toBe("12/764");
  });

  test("lasts: ZAPQ, and taking adapter and domain away and back, leave the keys", () => {
    const { machine } = system();
    load(machine, "AES", part(3), 4);
    const token = tokenOf(send(machine, generateDataKey(32)));
    const registers = new Uint32Array(32);
    registers[1] = 0x02000504;
    const memory = { read: () => new Uint8Array(0), write: () => {} };
    expect(machine.pqap({ registers, memory, problemState: false })).toBe(0);
    machine.setUsageDomain(4, false);
    machine.removeAdapter(5);
    machine.addAdapter(5, adapterProfile(13, "cca"));
    machine.setUsageDomain(4, true);
    expect(codesOf(send(machine, unwrapDataKey(token)))).toBe("0/0");
  });
});

describe("FQ", () => {
  /** As cca_get_info of the kernel reads it. */
  function info(platform: ApPlatform) {
    const [a, b] = ["STATICSA", "STATICSB"].map((keyword) => partsOf(send(platform, facilityQuery(keyword))));
    expect(a!.rules.length).toBeGreaterThanOrEqual(80);
    expect(a!.data.length).toBeGreaterThanOrEqual(204);
    expect(b!.rules.length).toBeGreaterThanOrEqual(104);
    expect(b!.data.length).toBeGreaterThanOrEqual(240);
    const kind = ({ rules, data }: { rules: Buffer; data: Buffer }, cell: number, bytes: number, offsets: readonly number[]) =>
      [0, 1, 2].map(
        (index) => String.fromCharCode(rules[8 * (cell + index)]!) + data.toString("hex", offsets[index]!, offsets[index]! + bytes),
      );
    return {
      serial: a!.rules.toString("latin1", 0, 8),
      asym: kind(a!, 4, 16, [104, 84, 64]),
      aes: kind(a!, 7, 8, [196, 184, 172]),
      apka: kind(b!, 10, 8, [232, 220, 208]),
    };
  }

  test("tells an empty domain", () => {
    const { machine } = system();
    const [none, none16] = ["00".repeat(8), "00".repeat(16)];
    expect(info(machine)).toMatchObject({
      asym: [`1${none16}`, `1${none16}`, `1${none16}`],
      aes: [`1${none}`, `1${none}`, `1${none}`],
      apka: [`1${none}`, `1${none}`, `1${none}`],
    });
  });

  test("tells states and patterns of all kinds", () => {
    const { machine } = system();
    for (const [kind, bytes] of [
      ["AES", 32],
      ["APKA", 32],
      ["ASYM", 24],
    ] as const) {
      load(machine, kind, part(1, bytes), 4);
      load(machine, kind, part(2, bytes), 4);
      send(machine, masterKey(kind, "FIRST", part(3, bytes)));
    }
    send(machine, masterKey("APKA", "LAST", part(0)));
    expect(info(machine)).toMatchObject({
      asym: [`2${"00".repeat(16)}`, `2${pattern(part(2, 24), 16)}`, `2${pattern(part(1, 24), 16)}`],
      aes: [`2${"00".repeat(8)}`, `2${pattern(part(2), 8)}`, `2${pattern(part(1), 8)}`],
      apka: [`3${pattern(part(3), 8)}`, `2${pattern(part(2), 8)}`, `2${pattern(part(1), 8)}`],
    });
  });

  test("tells one serial number for an adapter, whichever domain and machine run asks, and another for another", () => {
    const serialOf = (platform: ApPlatform, adapter: number, domain: number): string =>
      partsOf(send(platform, facilityQuery("STATICSA", { domain }), apqn(adapter, domain))).rules.toString("latin1", 0, 8);
    const { machine } = system();
    const serial = serialOf(machine, 5, 4);
    expect(serial).toMatch(/^[0-9A-Z]{8}$/);
    expect(serialOf(machine, 5, 8)).toBe(serial);
    expect(serialOf(system().machine, 5, 4)).toBe(serial);
    expect(serialOf(machine, 7, 4)).not.toBe(serial);
  });

  test("with another keyword is refused", () => {
    const { machine } = system();
    expect(codesOf(send(machine, facilityQuery("STATICSZ")))).toBe("8/33");
    expect(codesOf(send(machine, facilityQuery("")))).toBe("8/33");
  });
});
