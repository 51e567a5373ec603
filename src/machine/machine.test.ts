import { beforeEach, describe, expect, test } from "vitest";
import { aqic, dqap, hex, memoryBytes, nqap, pqap, tapq } from "../../test/support/instructions.ts";
import { apqn } from "../ap/apqn.ts";
import { Facility } from "../ap/platform.ts";
import { decodeQci, qciBlockBytes } from "../ap/qci.ts";
import { Functions } from "../ap/queue-info.ts";
import { type AdapterProcessor, silentProcessor } from "./adapter/processor.ts";
import { adapterProfile, adapterProfileByName } from "./adapter-profile.ts";
import { fullMachine, type MachineProfile } from "./lpar.ts";
import { Machine } from "./machine.ts";

const queue = apqn(5, 4);

let nowMs = 0;
beforeEach(() => {
  nowMs = 0;
});

/** Adapter 5 and domain 4. */
function machineWith(profile: Partial<MachineProfile> = {}, processor?: AdapterProcessor): Machine {
  const machine = new Machine({ ...fullMachine, ...profile }, () => nowMs, processor);
  machine.addAdapter(5, adapterProfile(13, "cca"));
  machine.setUsageDomain(4, true);
  return machine;
}

const withFacilities = (changes: Partial<MachineProfile["facilities"]>): Partial<MachineProfile> => ({
  facilities: { ...fullMachine.facilities, ...changes },
});

/** Keeps what came and replies when told to. */
function laterProcessor() {
  const waiting: { readonly message: Uint8Array; readonly isSpecial: boolean; readonly reply: (message: Uint8Array) => void }[] = [];
  const processor: AdapterProcessor = ({ message, isSpecial }, reply) => waiting.push({ message, isSpecial, reply });
  return { waiting, processor };
}

describe("response codes", () => {
  test.each(["tapq", "rapq", "zapq", "aqic"] as const)("%s of a queue outside the configuration is 01 with condition code 3", (name) => {
    const machine = machineWith();
    for (const absent of [apqn(6, 4), apqn(5, 5), apqn(255, 255)]) {
      const answer = pqap(machine, name, { queue: absent, gr1: [0x8000, 0], gr2: [0, 1] });
      expect([answer.result, answer.status]).toEqual([3, 0x00010000]);
    }
  });

  test.each(["tapq", "rapq", "zapq", "aqic"] as const)("%s of a deconfigured adapter is 03, of a checkstopped one 04", (name) => {
    const machine = machineWith();
    machine.setCheckstop(5, true);
    expect(pqap(machine, name, { queue, gr2: [0, 1] }).status).toBe(0x00040000);
    machine.setConfigured(5, false);
    expect(pqap(machine, name, { queue, gr2: [0, 1] }).status).toBe(0x00030000);
    machine.setConfigured(5, true);
    machine.setCheckstop(5, false);
    expect(pqap(machine, name, { queue, gr2: [0, 1] }).responseCode).toBe(name === "aqic" ? 7 : 0);
  });

  test("NQAP and DQAP answer 01, 03 and 04 as PQAP does", () => {
    const machine = machineWith();
    expect(nqap(machine, apqn(9, 9), new Uint8Array(8)).status).toBe(0x00010000);
    expect(dqap(machine, apqn(9, 9)).status).toBe(0x00010000);
    machine.setConfigured(5, false);
    expect([nqap(machine, queue, new Uint8Array(8)).responseCode, dqap(machine, queue).responseCode]).toEqual([3, 3]);
    machine.setConfigured(5, true);
    machine.setCheckstop(5, true);
    expect([nqap(machine, queue, new Uint8Array(8)).responseCode, dqap(machine, queue).responseCode]).toEqual([4, 4]);
  });

  test("an adapter has no domain above its own highest", () => {
    const machine = machineWith();
    machine.addAdapter(5, { ...adapterProfile(13, "cca"), maxDomain: 3 });
    expect(tapq(machine, queue).responseCode).toBe(1);
  });
});

describe("TAPQ", () => {
  test("tells status, functions, type, highest domain, message limit and depth", () => {
    const machine = machineWith();
    machine.addAdapter(5, { ...adapterProfile(14, "ep11"), functions: 0x84800000, maxDomain: 0x54 });
    const { result, status, registers } = tapq(machine, queue);
    expect([result, status]).toEqual([0, 0x80000000]);
    expect([registers[2], registers[4], registers[5]]).toEqual([0, 0x84800000, 0x0e540c07]);
  });

  test("without the T bit tells nothing of adapters since CEX4", () => {
    const { registers } = pqap(machineWith(), "tapq", { queue });
    expect([registers[4], registers[5]]).toEqual([0, 0]);
  });

  test("without the T bit tells the type of older adapters", () => {
    const machine = machineWith();
    machine.addAdapter(5, adapterProfileByName("CEX3C")!);
    const { registers } = pqap(machine, "tapq", { queue });
    expect([registers[4], registers[5]! >>> 24]).toEqual([0, 9]);
  });

  test("tells what a deconfigured or checkstopped adapter is, and nothing of an absent one", () => {
    const machine = machineWith();
    machine.setConfigured(5, false);
    expect(tapq(machine, queue).registers[5]! >>> 24).toBe(13);
    expect(pqap(machine, "tapq", { queue: apqn(6, 4), flags: 0x00800000, gr2: [1, 2] }).registers[5]).toBe(0);
  });

  test("shows an empty queue, one that works, one with a reply and one that is full", () => {
    const { processor, waiting } = laterProcessor();
    const machine = machineWith({}, processor);
    machine.addAdapter(5, { ...adapterProfile(13, "cca"), depth: 2 });
    expect(tapq(machine, queue).status).toBe(0x80000000);
    nqap(machine, queue, Uint8Array.of(1));
    expect(tapq(machine, queue).status).toBe(0x00000000);
    waiting[0]?.reply(Uint8Array.of(2));
    expect(tapq(machine, queue).status).toBe(0x40000000);
    nqap(machine, queue, Uint8Array.of(3));
    expect(tapq(machine, queue).status).toBe(0x60000000);
  });
});

describe("PQAP exceptions", () => {
  test("without AP instructions every function is an operation exception", () => {
    const machine = machineWith(withFacilities({ ap: false }));
    for (let code = 0; code <= 9; code++) expect(pqap(machine, code, { queue, problemState: true }).result).toBe("operation");
    expect(nqap(machine, queue, new Uint8Array(8)).result).toBe("operation");
    expect(dqap(machine, queue).result).toBe("operation");
  });

  test("in problem state all three are privileged operations", () => {
    const machine = machineWith();
    for (let code = 0; code <= 9; code++) expect(pqap(machine, code, { queue, problemState: true }).result).toBe("privileged-operation");
    expect(nqap(machine, queue, new Uint8Array(8), { problemState: true }).result).toBe("privileged-operation");
    expect(dqap(machine, queue, { problemState: true }).result).toBe("privileged-operation");
  });

  test.each([
    ["the T bit without facility 15", withFacilities({ apft: false }), 0, 0x00800000, "specification"],
    ["AQIC without facility 65", withFacilities({ apqi: false }), 3, 0, "specification"],
    ["QCI without facility 12", withFacilities({ qci: false }), 4, 0, "specification"],
    ["QACT where it is not installed", {}, 5, 0, "specification"],
    ["BAPQ on a machine without secure guests", {}, 7, 0, "specification"],
    ["AAPQ on a machine without secure guests", {}, 8, 0, "specification"],
    ["a function there is none of", {}, 6, 0, "specification"],
    ["the highest function code", {}, 255, 0, "specification"],
  ] as const)("%s is a specification exception", (_title, profile, code, flags, result) => {
    expect(pqap(machineWith(profile), code, { queue, flags }).result).toBe(result);
  });

  test.each(
    (
      [
        [apqn(64, 0), "specification"],
        [apqn(0, 16), "specification"],
        [apqn(63, 15), 3],
      ] as const
    ).map(([number, result]) => [number.toString(16), result, number] as const),
  )("without extended addressing queue 0x%s ends with %s", (_hex, result, number) => {
    const machine = machineWith(withFacilities({ apxa: false }));
    expect(tapq(machine, number).result).toBe(result);
    expect(nqap(machine, number, new Uint8Array(8)).result).toBe(result);
    expect(dqap(machine, number).result).toBe(result);
  });

  test.each([
    [5, 6],
    [4, 7],
    [15, 6],
  ])("NQAP with registers %d and %d needs even ones: specification", (r1, r2) => {
    const machine = machineWith();
    const registers = new Uint32Array(32);
    const memory = { read: () => new Uint8Array(), write: () => {} };
    expect(machine.nqap({ registers, memory, problemState: false }, r1, r2)).toBe("specification");
    expect(machine.dqap({ registers, memory, problemState: false }, r1, r2)).toBe("specification");
  });

  test("DQAP puts the identifier into the registers of R1 and the reply where those of R2 say", () => {
    const machine = machineWith({}, (_request, reply) => reply(Uint8Array.of(7, 8)));
    nqap(machine, queue, new Uint8Array(8), { id: [0x11, 0x22] });
    const written: [number, Uint8Array][] = [];
    const memory = { read: () => new Uint8Array(), write: (address: number, bytes: Uint8Array) => written.push([address, bytes]) };
    const registers = new Uint32Array(32);
    registers[1] = (0x80000000 | queue) >>> 0;
    [registers[2 * 10 + 1], registers[2 * 11 + 1]] = [0x5000, 0x100];
    expect(machine.dqap({ registers, memory, problemState: false }, 8, 10)).toBe(0);
    expect(written).toEqual([[0x5000, Uint8Array.of(7, 8)]]);
    expect([...registers.subarray(16, 24)]).toEqual([0, 0x11, 0, 0x22, 0, 0x5002, 0, 0xfe]);
  });

  test("a message, a reply or a QCI block outside memory is an addressing exception and changes nothing", () => {
    const machine = machineWith({}, (_request, reply) => reply(Uint8Array.of(1, 2)));
    expect(nqap(machine, queue, new Uint8Array(8), { address: memoryBytes - 1 }).result).toBe("addressing");
    expect(tapq(machine, queue).status).toBe(0x80000000);
    nqap(machine, queue, new Uint8Array(8));
    expect(dqap(machine, queue, { address: memoryBytes }).result).toBe("addressing");
    expect(tapq(machine, queue).status).toBe(0x40000000);
    expect(pqap(machine, "qci", { gr2: [1, 0] }).result).toBe("addressing");
  });
});

describe("facility bits", () => {
  test.each([
    [{}, [true, true, true, true]],
    [{ qci: false }, [false, true, true, true]],
    [{ apft: false }, [true, false, true, true]],
    [{ apqi: false }, [true, true, false, true]],
    [{ ap: false }, [false, false, false, true]],
  ])("with %j: QCI, APFT, AP interrupts and MSA 3 are %j", (facilities, expected) => {
    const machine = machineWith(withFacilities(facilities));
    expect([Facility.qci, Facility.apft, Facility.apqi, Facility.msa3].map((bit) => machine.hasFacility(bit))).toEqual(expected);
    expect(machine.hasFacility(1)).toBe(false);
  });
});

describe("QCI", () => {
  const read = (machine: Machine) => decodeQci(pqap(machine, "qci", { gr2: [0, 0x200] }).memory.subarray(0x200, 0x200 + qciBlockBytes));

  test("tells adapters, domains, limits and flags with condition code 0", () => {
    const machine = machineWith({ qact: true, apsb: true, maxAdapter: 63, maxDomain: 84 });
    machine.setControlDomain(7, true);
    expect(pqap(machine, "qci", { gr2: [0, 0x200] }).result).toBe(0);
    const block = read(machine);
    expect(block).toMatchObject({ apsc: true, apxa: true, qact: true, rc8a: false, apsb: true, maxAdapter: 63, maxDomain: 84 });
    expect([[...block.adapters], [...block.usageDomains], [...block.controlDomains]]).toEqual([[5], [4], [7]]);
  });

  test("keeps adapters that are deconfigured or checkstopped", () => {
    const machine = machineWith();
    machine.setConfigured(5, false);
    machine.setCheckstop(5, true);
    expect([...read(machine).adapters]).toEqual([5]);
    machine.removeAdapter(5);
    expect([...read(machine).adapters]).toEqual([]);
  });

  test("tells no limits without extended addressing", () => {
    expect(read(machineWith(withFacilities({ apxa: false })))).toMatchObject({ apxa: false, maxAdapter: 0, maxDomain: 0 });
  });
});

describe("QACT", () => {
  test.each([
    [13, 14, 13],
    [14, 12, 12],
  ])("answers for type %d when at most %d is known with type %d and the mode", (type, newest, answer) => {
    const machine = machineWith({ qact: true });
    machine.addAdapter(5, adapterProfile(type, "ep11"));
    const { result, registers } = pqap(machine, "qact", { queue, gr1: [Functions.ep11, newest << 24] });
    expect([result, registers[4], registers[5]! >>> 24]).toEqual([0, Functions.ep11, answer]);
  });
});

describe("AQIC", () => {
  test("switches the interrupt on and off; 07 where it is so already", () => {
    const machine = machineWith();
    expect(aqic(machine, queue, false).responseCode).toBe(7);
    expect(aqic(machine, queue, true).status).toBe(0x81000000);
    expect(aqic(machine, queue, true).status).toBe(0x81070000);
    expect(tapq(machine, queue).status).toBe(0x81000000);
    expect(aqic(machine, queue, false).status).toBe(0x80000000);
  });

  test("needs an indicator byte: 06 without one", () => {
    expect(aqic(machineWith(), queue, true, 0).responseCode).toBe(6);
  });

  test.each(["rapq", "zapq"] as const)("%s switches it off", (name) => {
    const machine = machineWith();
    aqic(machine, queue, true);
    expect(pqap(machine, name, { queue }).status).toBe(0x80000000);
    expect(tapq(machine, queue).status).toBe(0x80000000);
  });

  test("a reply interrupts once it is on, and only then", () => {
    const { processor, waiting } = laterProcessor();
    const machine = machineWith({}, processor);
    const interrupts: number[] = [];
    machine.listen({ queueInterrupt: (number) => interrupts.push(number) });
    nqap(machine, queue, Uint8Array.of(1));
    waiting[0]?.reply(Uint8Array.of(1));
    expect(interrupts).toEqual([]);
    aqic(machine, queue, true);
    nqap(machine, queue, Uint8Array.of(2));
    waiting[1]?.reply(Uint8Array.of(2));
    expect(interrupts).toEqual([queue]);
  });
});

describe("messages", () => {
  test("come back in the order they went in, each with its identifier", () => {
    const { processor, waiting } = laterProcessor();
    const machine = machineWith({}, processor);
    nqap(machine, queue, Uint8Array.of(1, 1), { id: [0xaaaaaaaa, 0x11111111] });
    nqap(machine, queue, Uint8Array.of(2, 2), { id: [0xbbbbbbbb, 0x22222222] });
    expect(waiting.map(({ message }) => hex(message))).toEqual(["0101", "0202"]);
    waiting[1]?.reply(Uint8Array.of(0x20));
    expect(dqap(machine, queue)).toMatchObject({ result: 3, responseCode: 0x10 });
    waiting[0]?.reply(Uint8Array.of(0x10));
    const first = dqap(machine, queue);
    expect([first.result, first.id, hex(first.reply)]).toEqual([0, [0xaaaaaaaa, 0x11111111], "10"]);
    const second = dqap(machine, queue);
    expect([second.result, second.id, hex(second.reply)]).toEqual([0, [0xbbbbbbbb, 0x22222222], "20"]);
    expect(dqap(machine, queue).status).toBe(0x80100000);
  });

  test("are refused with 10 when the queue is as full as it is deep", () => {
    const machine = machineWith({}, silentProcessor);
    machine.addAdapter(5, { ...adapterProfile(13, "cca"), depth: 3 });
    for (let count = 0; count < 3; count++) expect(nqap(machine, queue, Uint8Array.of(count)).result).toBe(0);
    const answer = nqap(machine, queue, Uint8Array.of(9));
    expect([answer.result, answer.status]).toEqual([3, 0x20100000]);
  });

  test.each([
    [0, 12 * 1024],
    [3, 12 * 1024],
    [12, 48 * 1024],
  ])("with message limit %d may have %d bytes and not one more: 15", (messageLimit, bytes) => {
    const machine = machineWith({}, silentProcessor);
    machine.addAdapter(5, { ...adapterProfile(13, "cca"), messageLimit });
    expect(nqap(machine, queue, new Uint8Array(bytes)).responseCode).toBe(0);
    expect(nqap(machine, queue, new Uint8Array(1), { length: bytes + 1 }).responseCode).toBe(0x15);
    expect(nqap(machine, queue, new Uint8Array(1), { length: 0xffffffff }).responseCode).toBe(0x15);
  });

  test("a reply that does not fit stays in the queue: 15", () => {
    const machine = machineWith({}, (_request, reply) => reply(new Uint8Array(100)));
    nqap(machine, queue, Uint8Array.of(1));
    expect(dqap(machine, queue, { room: 99 }).responseCode).toBe(0x15);
    expect(dqap(machine, queue, { room: 100 }).result).toBe(0);
  });

  test("carry the special-command bit to the adapter", () => {
    const { processor, waiting } = laterProcessor();
    const machine = machineWith({}, processor);
    nqap(machine, queue, Uint8Array.of(1), { flags: 0x00400000 });
    nqap(machine, queue, Uint8Array.of(1));
    expect(waiting.map(({ isSpecial }) => isSpecial)).toEqual([true, false]);
  });

  test("nobody computes yet are refused with an error reply, not swallowed", () => {
    const machine = machineWith();
    nqap(machine, queue, Uint8Array.of(1));
    expect(hex(dqap(machine, queue).reply)).toBe("0082000030000000");
  });
});

describe("what a queue held is gone, and a late reply finds nobody", () => {
  type Step = (machine: Machine) => void;
  const remove: Step = (machine) => machine.removeAdapter(5);
  const add: Step = (machine) => machine.addAdapter(5, adapterProfile(13, "cca"));
  const configure =
    (isOn: boolean): Step =>
    (machine) =>
      machine.setConfigured(5, isOn);
  const checkstop =
    (isOn: boolean): Step =>
    (machine) =>
      machine.setCheckstop(5, isOn);
  const assign =
    (isOn: boolean): Step =>
    (machine) =>
      machine.setUsageDomain(4, isOn);
  const events: [string, Step[]][] = [
    ["RAPQ", [(machine) => pqap(machine, "rapq", { queue })]],
    ["ZAPQ", [(machine) => pqap(machine, "zapq", { queue })]],
    ["deconfigure and configure", [configure(false), configure(true)]],
    ["checkstop and back", [checkstop(true), checkstop(false)]],
    ["another adapter in its place", [add]],
    ["taken out and put in", [remove, add]],
    ["the domain taken and given back", [assign(false), assign(true)]],
  ];
  test.each(events)("after %s", (_title, steps) => {
    const { processor, waiting } = laterProcessor();
    const machine = machineWith({}, processor);
    const interrupts: number[] = [];
    machine.listen({ queueInterrupt: (number) => interrupts.push(number) });
    aqic(machine, queue, true);
    nqap(machine, queue, Uint8Array.of(1));
    nqap(machine, queue, Uint8Array.of(2));
    waiting[0]?.reply(Uint8Array.of(1));
    interrupts.splice(0);
    for (const step of steps) step(machine);
    waiting[1]?.reply(Uint8Array.of(2));
    expect(tapq(machine, queue).status).toBe(0x80000000);
    expect(dqap(machine, queue).responseCode).toBe(0x10);
    expect(interrupts).toEqual([]);
  });
});

describe("a reset that takes time", () => {
  test("answers 02 to everything until it is over", () => {
    const machine = machineWith({ resetDurationMs: 50 });
    expect(pqap(machine, "rapq", { queue })).toMatchObject({ result: 0, responseCode: 0 });
    nowMs = 49;
    for (const name of ["tapq", "rapq", "zapq", "aqic"] as const) expect(pqap(machine, name, { queue }).responseCode).toBe(2);
    expect(nqap(machine, queue, Uint8Array.of(1)).responseCode).toBe(2);
    expect(dqap(machine, queue).responseCode).toBe(2);
    nowMs = 50;
    expect(tapq(machine, queue).status).toBe(0x80000000);
  });

  test("is the matter of one queue alone", () => {
    const machine = machineWith({ resetDurationMs: 50 });
    machine.setUsageDomain(6, true);
    pqap(machine, "zapq", { queue });
    expect(tapq(machine, apqn(5, 6)).responseCode).toBe(0);
  });

  test("is over when the adapter is deconfigured", () => {
    const machine = machineWith({ resetDurationMs: 50 });
    pqap(machine, "zapq", { queue });
    machine.setConfigured(5, false);
    machine.setConfigured(5, true);
    expect(tapq(machine, queue).responseCode).toBe(0);
  });

  test("is told to who watches, with the name of the instruction, only when it was taken", () => {
    const machine = machineWith({ resetDurationMs: 50 });
    const resets: [string, number][] = [];
    machine.observeResets((name, number) => resets.push([name, number]));
    pqap(machine, "rapq", { queue });
    pqap(machine, "zapq", { queue });
    nowMs = 60;
    pqap(machine, "zapq", { queue });
    pqap(machine, "zapq", { queue: apqn(6, 6) });
    expect(resets).toEqual([
      ["RAPQ", queue],
      ["ZAPQ", queue],
    ]);
  });
});

describe("a change of the configuration", () => {
  const changes: [string, (machine: Machine) => void][] = [
    ["addAdapter", (machine) => machine.addAdapter(9, adapterProfile(13, "cca"))],
    ["removeAdapter", (machine) => machine.removeAdapter(5)],
    ["setConfigured", (machine) => machine.setConfigured(5, false)],
    ["setCheckstop", (machine) => machine.setCheckstop(5, true)],
    ["setUsageDomain", (machine) => machine.setUsageDomain(9, true)],
    ["setControlDomain", (machine) => machine.setControlDomain(9, true)],
  ];
  test.each(changes)("%s is announced once, and not again when it changes nothing", (name, change) => {
    const machine = machineWith();
    let count = 0;
    machine.listen({ configurationChanged: () => count++ });
    change(machine);
    expect(count).toBe(1);
    if (name !== "addAdapter") change(machine);
    expect(count).toBe(1);
  });

  test("is not announced by a machine without such notices", () => {
    const machine = machineWith({ announcesChanges: false });
    machine.listen({ configurationChanged: () => expect.unreachable() });
    for (const [, change] of changes) change(machine);
    expect(machine.domains.usage.has(9)).toBe(true);
  });

  test("of an adapter that is not there does nothing", () => {
    const machine = machineWith();
    machine.removeAdapter(9);
    machine.setConfigured(9, false);
    expect([...machine.adapters.keys()]).toEqual([5]);
    expect(() => machine.configureAdapter(9, true)).toThrow("not installed");
  });

  test("keeps the checkstop state of a number when another adapter comes", () => {
    const machine = machineWith();
    machine.setCheckstop(5, true);
    machine.addAdapter(5, adapterProfile(14, "ep11"));
    expect(machine.adapters.get(5)?.isCheckstopped).toBe(true);
    expect(tapq(machine, queue).responseCode).toBe(4);
  });
});
