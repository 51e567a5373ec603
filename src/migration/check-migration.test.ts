import { describe, expect, test } from "vitest";
import { Functions } from "../ap/queue-info.ts";
import { checkMigration } from "./check-migration.ts";
import { isPossible, predictedErrno } from "./finding.ts";
import type { QueueFacts, SideFacts } from "./side-facts.ts";

const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const full = (Functions.apsc | Functions.cca | Functions.apxa | Functions.classFull) >>> 0;
const matrix = { adapters: [5], domains: [4], controlDomains: [4] };
const on = { ap: true, apqci: true, apft: true, apqi: true };

const queue = (change: Partial<QueueFacts> = {}): QueueFacts => ({
  adapter: 5,
  domain: 4,
  driver: "vfio_ap",
  hasDevice: true,
  tapq: { responseCode: 0, functions: full, type: 11 },
  isHostOwned: false,
  owner: null,
  keys: [],
  ...change,
});

const side = (host: string, change: Partial<SideFacts> = {}): SideFacts => ({
  host,
  kernel: "7.2",
  features: ["guest_matrix", "hotplug", "ap_config", "migratable"],
  model: "z16",
  facilities: on,
  limits: { adapter: 255, domain: 255 },
  apmask: "",
  aqmask: "",
  controlDomains: [4],
  mdev: null,
  neighbours: [],
  queues: [queue()],
  controlledKeys: [],
  guest: null,
  ...change,
});

const mdev = { uuid, matrix, guestMatrix: matrix, guest: "guest1", isInUse: true };
const source = (change: Partial<SideFacts> = {}): SideFacts => side("here", { mdev, guest: { name: "guest1", facilities: on }, ...change });
const target = (change: Partial<SideFacts> = {}): SideFacts => side("there", change);
const check = (from: SideFacts, to: SideFacts, createsMdev = true) => checkMigration(from, to, { createsMdev });
const rules = (from: SideFacts, to: SideFacts): string[] => check(from, to).map(({ rule, subject }) => `${rule} ${subject}`);
const functions = (word: number, type = 11): QueueFacts => queue({ tapq: { responseCode: 0, functions: word >>> 0, type } });

describe("whether a guest can move", () => {
  test("nothing stands against a move between equal hosts, whether or not the destination has the mediated device", () => {
    expect(check(source(), target())).toEqual([]);
    expect(check(source(), target({ mdev: { ...mdev, guest: null, isInUse: false } }))).toEqual([]);
  });

  test.each([
    ["an older kernel here", source({ features: ["guest_matrix"] }), target(), ["source-kernel here"]],
    ["vfio_ap not loaded there", source(), target({ features: null }), ["target-kernel there"]],
    ["a mediated device that a guest has", source(), target({ mdev: { ...mdev, guest: "guest7" } }), [`mdev-in-use ${uuid}`]],
    ["a guest of the same name", source(), target({ guest: { name: "guest1", facilities: on } }), ["guest-name guest1"]],
    ["a machine without QCI", source(), target({ facilities: { ...on, apqci: false } }), ["cpu-facility guest1"]],
    [
      "a queue that is gone here",
      source({ queues: [queue({ tapq: { responseCode: 1, functions: 0, type: 0 } })] }),
      target(),
      ["source-hwinfo 05.0004"],
    ],
    [
      "a queue of the host's drivers",
      source(),
      target({ queues: [queue({ driver: "cex4queue", isHostOwned: true })] }),
      ["queue-not-bound 05.0004", "host-owned 05.0004"],
    ],
    ["no answer about a queue", source(), target({ queues: [] }), ["queue-not-bound 05.0004", "hwinfo 05.0004"]],
    ["no such control domain", source(), target({ controlDomains: [5] }), ["control-domain domain 0004"]],
    ["a queue of another mediated device", source(), target({ queues: [queue({ owner: "other" })] }), ["queue-in-use 05.0004"]],
    ["an adapter beyond what there can be", source(), target({ limits: { adapter: 4, domain: 255 } }), ["limit adapter 05"]],
    ["a card without APSC", source(), target({ queues: [functions(full & ~Functions.apsc)] }), ["apsc 05.0004"]],
    ["a card with mex4k", source(), target({ queues: [functions(full | Functions.mex4k)] }), ["mex4k 05.0004"]],
    ["a card with crt4k", source(), target({ queues: [functions(full | Functions.crt4k)] }), ["crt4k 05.0004"]],
    [
      "a card in another mode",
      source(),
      target({ queues: [functions((full & ~Functions.cca) | Functions.ep11)] }),
      ["mode-cca 05.0004", "mode-ep11 05.0004"],
    ],
    [
      "an accelerator",
      source(),
      target({ queues: [functions((full & ~Functions.cca) | Functions.accelerator)] }),
      ["mode-cca 05.0004", "mode-accelerator 05.0004"],
    ],
    ["a card without APXA", source(), target({ queues: [functions(full & ~Functions.apxa)] }), ["apxa 05.0004"]],
    ["a card that filters", source(), target({ queues: [functions(full | Functions.slcf)] }), ["filtering 05.0004"]],
    ["an older card", source(), target({ queues: [functions(full, 10)] }), ["type 05.0004"]],
    ["a newer card", source(), target({ queues: [functions(full, 14)] }), []],
    ["a bound queue", source({ queues: [functions(full | (1 << 14))] }), target(), ["bind-state 05.0004"]],
    [
      "a card of stateless functions",
      source(),
      target({ queues: [functions((full & ~Functions.classFull) | Functions.classStateless)] }),
      ["class 05.0004"],
    ],
    [
      "a card of all functions for a stateless one",
      source({ queues: [functions((full & ~Functions.classFull) | Functions.classStateless)] }),
      target(),
      [],
    ],
  ])("%s", (_, from, to, found) => {
    expect(rules(from, to)).toEqual(found);
    expect(isPossible(check(from, to))).toBe(found.length === 0);
  });

  test("a mediated device that is missing blocks only where nobody makes it", () => {
    const [found] = check(source(), target(), false);
    expect(found).toMatchObject({ rule: "mdev-missing", severity: "blocks", subject: uuid });
    expect(found?.remedy).toContain(`echo ${uuid} > `);
  });

  test("a guest without a vfio-ap device asks nothing of either kernel", () => {
    expect(check(source({ mdev: null, queues: [], features: null }), target({ features: null, queues: [], controlDomains: [] }))).toEqual(
      [],
    );
  });

  test("warns of what is assigned and does not move, and of what the destination loses", () => {
    const from = source({ mdev: { ...mdev, matrix: { adapters: [5, 6], domains: [4], controlDomains: [4, 7] } } });
    const to = target({ mdev: { ...mdev, guest: null, isInUse: false, matrix: { adapters: [9], domains: [4], controlDomains: [] } } });
    const findings = check(from, to);
    expect(findings.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual(["filtered warns", "overlay warns"]);
    expect(findings[0]?.source).toContain("adapter 06, control domain 0007");
    expect(findings[1]?.target).toContain("adapter 09");
  });

  test("the driver's answer is that of its first stage: a queue that is not bound before one that is not compatible", () => {
    const incompatible = functions(full, 10);
    expect(predictedErrno(check(source(), target({ queues: [incompatible] })))).toBe("EINVAL");
    expect(predictedErrno(check(source(), target({ queues: [{ ...incompatible, driver: null }] })))).toBe("ENODEV");
    expect(predictedErrno(check(source(), target({ queues: [queue({ owner: "other" })] })))).toBe("EADDRINUSE");
    expect(predictedErrno(check(source(), target()))).toBeUndefined();
  });

  test.each([
    [1, "ENODEV"],
    [6, "EIO"],
  ] as const)("TAPQ that ends with %i there is %s", (responseCode, errno) => {
    const gone = queue({ tapq: { responseCode, functions: 0, type: 0 } });
    expect(predictedErrno(check(source(), target({ queues: [gone] })))).toBe(errno);
  });

  test.each([2, 3, 4, 5])("TAPQ that ends with %i there still tells what the queue is", (responseCode) => {
    const away = queue({ tapq: { responseCode, functions: full, type: 11 } });
    expect(check(source(), target({ queues: [away] }))).toEqual([]);
  });
});

describe("master keys", () => {
  const key = (register: "NEW" | "CUR" | "OLD", state: string, pattern: string | null, name = "AES") => ({
    key: name,
    register,
    state,
    pattern,
  });
  const keyed = (...keys: ReturnType<typeof key>[]): QueueFacts => queue({ keys });

  test("the same ones are not worth a word", () => {
    const same = keyed(key("CUR", "valid", "11"), key("OLD", "invalid", null));
    expect(check(source({ queues: [same] }), target({ queues: [same] }))).toEqual([]);
  });

  test("another one warns, with the command that loads it", () => {
    const found = check(source({ queues: [keyed(key("CUR", "valid", "11"))] }), target({ queues: [keyed(key("CUR", "valid", "22"))] }));
    expect(found).toMatchObject([{ rule: "master-key", severity: "warns", source: "AES CUR 11", target: "AES CUR 22" }]);
    expect(found[0]?.remedy).toContain("adjunct hw there key load 5 4 aes");
  });

  test("one that is the destination's old one can still be used there", () => {
    const there = keyed(key("CUR", "valid", "22"), key("OLD", "valid", "11"));
    expect(check(source({ queues: [keyed(key("CUR", "valid", "11"))] }), target({ queues: [there] }))).toEqual([]);
  });

  test("a load that is under way on either side blocks, also in a domain that the guest only controls", () => {
    const partial = key("NEW", "partial", null, "WK");
    const from = source({ controlledKeys: [{ adapter: 5, domain: 7, keys: [partial] }] });
    const found = check(from, target({ queues: [keyed(partial)] })).filter(({ rule }) => rule === "key-load");
    expect(found.map(({ subject, source: here, target: there }) => [subject, here, there])).toEqual([
      ["05.0007", "WK NEW is partial", ""],
      ["05.0004", "", "WK NEW is partial"],
    ]);
    expect(found[0]?.remedy).toContain("adjunct hw here key clear 5 7 ep11");
  });

  test("one warning says that those of some queues are unknown", () => {
    const found = check(source({ queues: [queue({ keys: null })] }), target());
    expect(found).toMatchObject([
      { rule: "master-key-unknown", severity: "warns", source: "master keys unknown", target: "master keys known" },
    ]);
  });
});
