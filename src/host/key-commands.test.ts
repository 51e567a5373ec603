import { beforeEach, describe, expect, test } from "vitest";
import { ep11Encrypt, ep11GenerateKey, mechanism } from "../../test/support/ep11-messages.ts";
import { dqap, nqap } from "../../test/support/instructions.ts";
import { codesOf, generateDataKey, masterKey, tokenOf, unwrapDataKey } from "../../test/support/key-messages.ts";
import type { ModelEvent } from "../runtime/model.ts";
import { runCommand } from "./commands.ts";
import { configurationFrom } from "./configuration-file.ts";
import { createHost } from "./create-host.ts";
import type { DomainSecrets } from "./domain-secrets.ts";
import type { Host } from "./host.ts";
import type { ShownKey } from "./shown-key.ts";

let host: Host;
let events: ModelEvent[];

function start(masterKeys: "none" | "test" = "none", secrets: readonly DomainSecrets[] = []): void {
  const adapters = { 5: { type: "CEX8C", "max-domain": 84 }, 6: { type: "CEX8A" }, 7: { type: "CEX8P" } };
  const machine = { "max-domain": 255, adapters, "usage-domains": [4], "control-domains": [4, 71, 100], "master-keys": masterKeys };
  events = [];
  host = createHost({ ...configurationFrom({ name: "lpar1", machine }), rules: { modules: [] }, secrets }, (event) =>
    events.push(event),
  ) as Host;
}
beforeEach(() => start());

const run = (action: string, request: object = {}): ShownKey[] => runCommand(host, { do: "key", action, ...request }) as ShownKey[];
const load = (request: object): ShownKey[] =>
  run("load", { adapter: 5, domain: 71, kind: "aes", parts: [], isPartial: false, isSet: false, ...request });
const states = ([key]: ShownKey[]): string => [key?.new, key?.current, key?.old].map((register) => register?.state).join(" ");

const [one, two] = ["11".repeat(32), "22".repeat(32)];

function send(message: Uint8Array): Buffer {
  nqap(host.machine, 0x0504, message);
  return Buffer.from(dqap(host.machine, 0x0504).reply);
}

describe("commands about master keys", () => {
  test("a fresh domain has none, and a coprocessor refuses to make keys", () => {
    expect(run("show", { adapter: 5, domain: 4 }).map((key) => [key.kind, states([key])])).toEqual(
      ["aes", "apka", "asym"].map((kind) => [kind, "empty invalid invalid"]),
    );
    expect(codesOf(send(generateDataKey(32)))).toBe("12/764");
  });

  test("load XORs the parts, set makes the key current, and the one before old", () => {
    expect(states(load({ parts: [one, two] }))).toBe("full invalid invalid");
    expect(states(run("set", { adapter: 5, domain: 71, kind: "aes" }))).toBe("empty valid invalid");
    const again = load({ parts: ["33".repeat(32)], isSet: true });
    expect(states(again)).toBe("empty valid valid");
    expect(again[0]?.current.pattern).toBe(again[0]?.old?.pattern);
    expect(again[0]?.current.pattern).toHaveLength(16);
  });

  test("parts may come one after the other", () => {
    expect(states(load({ parts: [one], isPartial: true }))).toBe("partial invalid invalid");
    expect(load({ parts: [one], isPartial: true })[0]?.new.pattern).toBeNull();
    const [shown] = load({ parts: [two] });
    const [whole] = load({ domain: 4, parts: [two] });
    expect(shown?.new).toEqual({ state: "full", pattern: whole?.new.pattern });
  });

  test("an EP11 key is committed before it is set", () => {
    const place = { adapter: 7, domain: 71, kind: "ep11" };
    expect(load({ ...place, parts: [one] })[0]).toMatchObject({ new: { state: "uncommitted" }, old: null });
    expect(() => run("set", place)).toThrow("the new ep11 register of 07.0047 is not committed: load a key and commit it first");
    expect(run("commit", place)[0]?.new.state).toBe("committed");
    expect(states(run("set", place))).toBe("empty valid ");
    expect(states(load({ ...place, parts: [two], isSet: true }))).toBe("empty valid ");
  });

  test("the test key is the same everywhere, and a token of one domain works in another", () => {
    const keys = run("load-test");
    expect(keys.map(({ queue, kind }) => `${queue} ${kind}`)).toEqual([
      ...["05.0004", "05.0047"].flatMap((queue) => ["aes", "apka", "asym"].map((kind) => `${queue} ${kind}`)),
      ...["07.0004 ep11", "07.0047 ep11", "07.0064 ep11"],
    ]);
    expect(new Set(keys.map(({ current }) => current.state))).toEqual(new Set(["valid"]));
    const token = tokenOf(send(generateDataKey(32)));
    start();
    expect(codesOf(send(unwrapDataKey(token)))).toBe("12/764");
    load({ domain: 4, isSet: true });
    expect(codesOf(send(unwrapDataKey(token)))).toBe("0/0");
  });

  test("clear empties the new register, zeroize all of a domain", () => {
    load({ isSet: true });
    load({ parts: [one] });
    expect(states(run("clear", { adapter: 5, domain: 71, kind: "aes" }))).toBe("empty valid invalid");
    expect(run("zeroize", { adapter: 5, domain: 71 }).map((key) => states([key]))).toEqual(new Array(3).fill("empty invalid invalid"));
  });

  test.each<[string, string, object, string]>([
    ["an adapter that there is not", "show", { adapter: 9 }, "no adapter 9: adjunct hw lpar1 show lists those that there are"],
    ["an accelerator", "show", { adapter: 6 }, "adapter 6 is an accelerator: it has no master keys"],
    [
      "a domain of others",
      "show",
      { domain: 5 },
      "domain 5 is neither a usage nor a control domain of lpar1: adjunct hw lpar1 control-domain add 5",
    ],
    ["a domain beyond the adapter", "zeroize", { adapter: 5, domain: 100 }, "adapter 5 has no domain 100: its highest is 84"],
    ["a key of other adapters", "clear", { adapter: 5, domain: 4, kind: "ep11" }, "adapter 5 has no ep11 key: it is no EP11 coprocessor"],
    ["setting nothing", "set", { adapter: 5, domain: 4, kind: "aes" }, "the new aes register of 05.0004 is not full: load a key first"],
    [
      "committing a CCA key",
      "commit",
      { adapter: 5, domain: 4, kind: "aes" },
      "the new aes register of 05.0004 needs no commitment: set it",
    ],
  ])("refuse %s", (_, action, request, message) => {
    expect(() => run(action, request)).toThrow(message);
  });

  test("refuse a part of another length, a full register, and leave everything as it was", () => {
    expect(() => load({ parts: ["11".repeat(24)] })).toThrow("the new aes register of 05.0047 takes parts of 32 bytes (64 hex digits)");
    load({ parts: [one] });
    expect(() => load({ parts: [one] })).toThrow("the new aes register of 05.0047 is not empty: set it or clear it first");
    run("clear", { adapter: 5, domain: 71, kind: "aes" });
    load({ parts: [one], isPartial: true });
    expect(() => load({})).toThrow("is not empty");
    expect(() => load({ parts: [two, "33"] })).toThrow("64 hex digits");
    expect(states(run("show", { adapter: 5, domain: 71 }))).toBe("partial invalid invalid");
  });
});

test("an EP11 coprocessor makes and takes blobs under the wrapping key that was loaded, and under no other", () => {
  const place = { adapter: 7, domain: 4, kind: "ep11" };
  const ask = (message: Uint8Array): Buffer => {
    nqap(host.machine, 0x0704, message);
    return Buffer.from(dqap(host.machine, 0x0704, { room: 12288 }).reply);
  };
  const returnValue = (reply: Buffer): string => reply.toString("hex", 98, 102);
  const encryption = (blob: Buffer): Buffer => ep11Encrypt(mechanism(0x1085, Buffer.alloc(16)), blob, Buffer.alloc(20));
  expect(returnValue(ask(ep11GenerateKey(32, 0x00200c00)))).toBe("80010009");
  load({ ...place, parts: [one], isSet: true });
  const made = ask(ep11GenerateKey(32, 0x00200c00));
  expect(returnValue(made)).toBe("00000000");
  const blob = made.subarray(106, 362);
  expect(returnValue(ask(encryption(blob)))).toBe("00000000");
  load({ ...place, parts: [two], isSet: true });
  expect(returnValue(ask(encryption(blob)))).toBe("80010001");
  load({ ...place, parts: [one], isSet: true });
  expect(returnValue(ask(encryption(blob)))).toBe("00000000");
});

describe("keys that change are told to who keeps them", () => {
  test("by a command or by a message, all keys of the domain at once", () => {
    load({ domain: 4, parts: [one], isSet: true });
    send(masterKey("AES", "FIRST", Buffer.alloc(32, 9)));
    const secrets = events.filter(({ type }) => type === "secrets");
    expect(secrets).toEqual([
      { type: "secrets", domain: { queue: 0x0504, keys: { aes: { current: one } } } },
      { type: "secrets", domain: { queue: 0x0504, keys: { aes: { next: { key: "09".repeat(32), state: "partial" }, current: one } } } },
    ]);
    start("none", [secrets[1]!.domain as DomainSecrets]);
    expect(states(run("show", { adapter: 5, domain: 4 }))).toBe("partial valid invalid");
  });

  test("and no answer has a key in it", () => {
    const answers = [load({ parts: [one] }), run("show"), load({ domain: 4, parts: [two], isSet: true }), run("load-test")];
    for (const secret of [one, two]) expect(JSON.stringify(answers)).not.toContain(secret);
  });
});

describe("master-keys: test in a configuration", () => {
  test("gives every domain the test keys at start", () => {
    start("test");
    expect(new Set(run("show").map(({ current }) => current.state))).toEqual(new Set(["valid"]));
    expect(codesOf(send(generateDataKey(32)))).toBe("0/0");
  });

  test("leaves what was kept from before", () => {
    start("test", [{ queue: 0x0504, keys: { aes: { next: { key: one, state: "partial" } } } }]);
    expect(run("show", { adapter: 5, domain: 4 }).map((key) => states([key]))).toEqual([
      "partial invalid invalid",
      "empty valid invalid",
      "empty valid invalid",
    ]);
  });
});
