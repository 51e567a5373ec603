import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ToyMachine, type ToyProcessor } from "./gdb/toy-machine.ts";
import { GuestProcessors, type GuestProcessorsOptions } from "./guest-processors.ts";
import type { InstructionAnswer, InstructionRequest } from "./instruction-request.ts";
import { readProcessorsRecord } from "./migration/processors-record.ts";
import { ToyMemory } from "./toy-memory.ts";

const mib = 2 ** 20;
const entry = 0x10000n;
const kernelPsw = 0x0404_c001_8000_0000n;
const primaryPsw = 0x0404_0001_8000_0000n;
const realPsw = 0x0000_0001_8000_0000n;
/** Where the toy kernel is mapped: its handler, one instruction of each kind, and a page of data. */
const kernel = {
  handler: 0x3ff_e000_0000n,
  pqap: 0x3ff_e000_0200n,
  nqap: 0x3ff_e000_0300n,
  dqap: 0x3ff_e000_0400n,
  data: 0x3ff_f000_0000n,
} as const;
const absolute = { text: 0x30_0000, data: 0x31_0000 } as const;

let folder: string;
let memory: ToyMemory;
let machine: ToyMachine;
let processors: GuestProcessors;
let requests: InstructionRequest[];
let problems: string[];
let answer: (request: InstructionRequest) => InstructionAnswer | Promise<InstructionAnswer>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  folder = mkdtempSync(join(tmpdir(), "gdb-"));
  memory = new ToyMemory(4 * mib, 2 * mib);
  requests = [];
  problems = [];
  answer = ({ registers }) => ({ result: 0, registers, writes: [] });
});

afterEach(() => {
  vi.useRealTimers();
  processors.close();
  machine.close();
  rmSync(folder, { recursive: true });
});

async function attach(options: Partial<GuestProcessorsOptions> & { readonly count?: number } = {}): Promise<void> {
  machine = await ToyMachine.listen(join(folder, "gdb"), options.count ?? 1, memory.bytes);
  processors = await GuestProcessors.attach({
    socketPath: machine.stub.path,
    monitor: machine,
    memory,
    execute: async (request) => {
      requests.push(request);
      return answer(request);
    },
    hasAp: true,
    facilities: [12, 15],
    onProblem: (text) => problems.push(text),
    ...options,
  });
}

async function running(): Promise<void> {
  await machine.running();
}

/** Lets a processor come to an address and waits until the machine goes on. */
async function pass(address: bigint, processor: ToyProcessor = machine.processors[0]!): Promise<void> {
  expect(machine.reach(address, processor)).toBe(true);
  await running();
}

/** A kernel whose text is in place and whose program-check handler is set. */
function mapKernel(processor = machine.processors[0]!): void {
  const asce = BigInt(memory.table("region")) | (2n << 2n) | 3n;
  memory.mapPage(asce, kernel.handler, absolute.text);
  memory.mapPage(asce, kernel.data, absolute.data);
  memory.bytes.fill(Buffer.from("b9040012", "hex"), absolute.text, absolute.text + 0x1000);
  memory.bytes.write("b2af0000", absolute.text + 0x200, "hex");
  memory.bytes.write("b2ad0024", absolute.text + 0x300, "hex");
  memory.bytes.write("b2ae0064", absolute.text + 0x400, "hex");
  setHandler(kernel.handler);
  for (const control of [1, 13]) processor.controls[control] = asce;
  processor.psw = { mask: kernelPsw, address: kernel.handler };
}

function setHandler(address: bigint): void {
  memory.bytes.writeBigUInt64BE(kernelPsw, 0x1d0);
  memory.bytes.writeBigUInt64BE(address, 0x1d8);
}

/** One look at the kernel while it boots. */
async function poll(): Promise<void> {
  const releases = count("D");
  vi.advanceTimersToNextTimer();
  await machine.stub.until(() => count("D") > releases && machine.isRunning);
}

const count = (packet: string): number => machine.stub.inputs.filter((input) => input === packet).length;

/** A running machine whose kernel was found. */
async function booted(options: Parameters<typeof attach>[0] = {}): Promise<ToyProcessor> {
  await attach(options);
  for (const processor of machine.processors) mapKernel(processor);
  processors.run();
  await running();
  await poll();
  return machine.processors[0]!;
}

const general = (processor: ToyProcessor, number: number): string =>
  [...processor.registers.subarray(2 * number, 2 * number + 2)].map((word) => word.toString(16).padStart(8, "0")).join("");

describe("the entry of a kernel", () => {
  const stfle = "b2b01000";

  /** An image with a mark and one STFLE. */
  function loadImage(): void {
    memory.bytes.fill(Buffer.from("b9040012", "hex"), 0x10000, 0x11000);
    memory.bytes.write("S390EP", 0x10008, "latin1");
    memory.bytes.write(stfle, 0x10400, "hex");
  }

  /** TCG stores a list without AP. */
  const storeList = (processor: ToyProcessor): void => {
    if (processor.psw.address === 0x10400n) memory.bytes.write("80000000000000014000000000000000", 0x8000, "hex");
    processor.psw = { ...processor.psw, address: processor.psw.address + 4n };
  };

  beforeEach(async () => {
    await attach();
    machine.onStep = storeList;
    machine.processors[0]!.psw = { mask: realPsw, address: 0n };
  });

  test("is held from the start, and passed by a step", async () => {
    processors.run();
    await running();
    expect([...machine.breakpoints]).toEqual([entry]);
    await pass(entry);
    expect(machine.processors[0]!.psw.address).toBe(entry + 4n);
  });

  test("puts the facilities of AP into the list that its STFLE stores", async () => {
    loadImage();
    processors.run();
    await running();
    await pass(entry);
    expect([...machine.breakpoints]).toEqual([entry, 0x10400n]);
    machine.processors[0]!.registers[1] = 1;
    machine.processors[0]!.registers[3] = 0x8000;
    await pass(0x10400n);
    expect(memory.bytes.toString("hex", 0x8000, 0x8010)).toBe("80090000000000014000000000000000");
    expect(machine.processors[0]!.psw.address).toBe(0x10404n);
    expect(problems).toEqual([]);
  });

  test("changes no more of a list than the kernel has room for", async () => {
    loadImage();
    memory.bytes.fill(0, 0x8008, 0x8010);
    processors.run();
    await running();
    await pass(entry);
    machine.processors[0]!.registers[3] = 0x8000 - 8;
    machine.onStep = (processor) => {
      processor.psw = { ...processor.psw, address: processor.psw.address + 4n };
    };
    await pass(0x10400n);
    expect(memory.bytes.toString("hex", 0x7ff8, 0x8008)).toBe("00090000000000000000000000000000");
  });

  test("of what has no kernel's mark holds no STFLE", async () => {
    loadImage();
    memory.bytes.write("S390XX", 0x10008, "latin1");
    processors.run();
    await running();
    await pass(entry);
    expect([...machine.breakpoints]).toEqual([entry]);
  });

  test("with more STFLEs than can be held is told, and the guest goes on", async () => {
    loadImage();
    memory.bytes.fill(Buffer.from(stfle, "hex"), 0x10400, 0x12000);
    processors.run();
    await running();
    await pass(entry);
    expect(problems).toEqual([expect.stringContaining("no more than")]);
    expect(machine.processors[0]!.psw.address).toBe(entry + 4n);
  });

  test("whose STFLE ends in a program interruption is no problem of ours", async () => {
    loadImage();
    processors.run();
    await running();
    await pass(entry);
    machine.processors[0]!.registers[2] = 0x7fff;
    machine.onStep = (processor) => {
      processor.psw = { mask: realPsw, address: 0x200n };
    };
    await pass(0x10400n);
    expect(problems).toEqual([]);
    expect(machine.processors[0]!.psw.address).toBe(0x200n);
  });
});

describe("a guest whose processor has no AP", () => {
  test("is held nowhere and never looked at", async () => {
    await attach({ hasAp: false });
    mapKernel();
    processors.run();
    await running();
    expect(vi.getTimerCount()).toBe(0);
    expect(machine.breakpoints.size).toBe(0);
  });
});

describe("a kernel while it boots", () => {
  test("is looked for every 20 ms until it has set its program-check handler, and never again", async () => {
    await attach();
    processors.run();
    await running();
    await poll();
    await poll();
    expect([...machine.breakpoints]).toEqual([entry]);
    mapKernel();
    await poll();
    expect([...machine.breakpoints]).toEqual([entry, kernel.pqap, kernel.nqap, kernel.dqap]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is looked through only when the handler is another one than before", async () => {
    await attach();
    setHandler(0x1_0000_0000n);
    machine.processors[0]!.psw = { mask: kernelPsw, address: 0x1_0000_0000n };
    processors.run();
    await running();
    await poll();
    // Each stop asks for registers once, and a look through the text another time.
    expect(count("g")).toBe(2);
    await poll();
    expect(count("g")).toBe(3);
    mapKernel();
    await poll();
    expect(machine.breakpoints.size).toBe(4);
  });

  test("lets the STFLEs of its decompressor go when it is found", async () => {
    await attach();
    memory.bytes.write("S390EP", 0x10008, "latin1");
    memory.bytes.write("b2b01000", 0x10400, "hex");
    machine.processors[0]!.psw = { mask: realPsw, address: 0n };
    processors.run();
    await running();
    await pass(entry);
    expect(machine.breakpoints).toContain(0x10400n);
    mapKernel();
    await poll();
    expect(machine.breakpoints).not.toContain(0x10400n);
  });

  test("with more AP instructions than can be held is told", async () => {
    await attach();
    mapKernel();
    memory.bytes.fill(Buffer.from("b2af0000", "hex"), absolute.text + 0x600, absolute.text + 0x1000);
    processors.run();
    await running();
    await poll();
    expect(problems).toEqual([expect.stringContaining("no more than")]);
  });
});

describe("an AP instruction", () => {
  test("is asked for with its registers, and its answer set behind it", async () => {
    const processor = await booted();
    processor.psw = { mask: 0x0404_f001_8000_0000n, address: 0n };
    processor.registers.set([0, 0x00800504, 1, 2], 0);
    answer = ({ registers }) => {
      const changed = Uint32Array.from(registers);
      changed.set([0, 0x00030000], 2);
      return { result: 1, registers: changed, writes: [] };
    };
    await pass(kernel.pqap);
    expect(requests).toMatchObject([{ instruction: { name: "pqap", r1: 0, r2: 0 }, isProblemState: false, operand: new Uint8Array() }]);
    expect([...requests[0]!.registers.subarray(0, 4)]).toEqual([0, 0x00800504, 1, 2]);
    expect(processor.psw).toEqual({ mask: 0x0404_d001_8000_0000n, address: kernel.pqap + 4n });
    expect([general(processor, 0), general(processor, 1)]).toEqual(["0000000000800504", "0000000000030000"]);
    expect(problems).toEqual([]);
  });

  test("of a program is told to be one", async () => {
    const processor = await booted();
    processor.psw = { mask: 0x0705_0001_8000_0000n, address: 0n };
    answer = ({ registers }) => ({ result: "privileged-operation", registers, writes: [] });
    await pass(kernel.pqap);
    expect(requests[0]!.isProblemState).toBe(true);
  });

  test("that is NQAP brings along what its second operand designates", async () => {
    const processor = await booted();
    memory.bytes.write("a message", absolute.data + 0x10, "latin1");
    processor.registers.set([Number(kernel.data >> 32n), Number(kernel.data & 0xffffffffn) + 0x10, 0, 9], 8);
    await pass(kernel.nqap);
    expect(Buffer.from(requests[0]!.operand).toString()).toBe("a message");
    expect(requests[0]!.instruction).toEqual({ name: "nqap", r1: 2, r2: 4 });
  });

  test.each([
    ["more than 64 KiB", [0, 0x10001]],
    ["more than 4 GiB", [1, 9]],
  ])("that is NQAP of %s brings nothing along and is asked for all the same", async (_title, length) => {
    const processor = await booted();
    processor.registers.set([Number(kernel.data >> 32n), Number(kernel.data & 0xffffffffn), ...length], 8);
    await pass(kernel.nqap);
    expect(requests.map(({ operand }) => operand.length)).toEqual([0]);
  });

  test("has its writes made where the guest's tables say", async () => {
    const processor = await booted();
    answer = ({ registers }) => ({
      result: 0,
      registers,
      writes: [{ address: Number(kernel.data) + 0x20, bytes: Buffer.from("a reply") }],
    });
    await pass(kernel.dqap);
    expect(memory.bytes.toString("latin1", absolute.data + 0x20, absolute.data + 0x27)).toBe("a reply");
    expect(processor.psw.address).toBe(kernel.dqap + 4n);
  });

  test.each([
    ["takes from", "nqap", []],
    ["writes to", "dqap", [{ address: 0x5000_0000, bytes: Buffer.from("a reply") }]],
  ] as const)(
    "that %s where nothing is mapped is interrupted for addressing, with its registers as they were",
    async (_title, name, writes) => {
      const processor = await booted();
      processor.registers.set([0, 0x5000_0000, 0, 8], 8);
      answer = ({ registers }) => ({ result: 0, registers: Uint32Array.from(registers).fill(7), writes });
      await pass(kernel[name]);
      expect(processor.psw).toEqual({ mask: kernelPsw, address: kernel.handler });
      expect(memory.bytes.toString("hex", 0x8c, 0x90)).toBe("00040005");
      expect(general(processor, 4)).toBe("0000000050000000");
      expect(problems).toEqual([]);
    },
  );

  test.each([
    ["operation", "00040001"],
    ["privileged-operation", "00040002"],
    ["specification", "00040006"],
  ] as const)("that is answered by a program interruption for %s takes it", async (result, stored) => {
    const processor = await booted();
    answer = ({ registers }) => ({ result, registers: Uint32Array.from(registers).fill(7), writes: [] });
    await pass(kernel.pqap);
    expect(memory.bytes.toString("hex", 0x8c, 0x90)).toBe(stored);
    expect(memory.bytes.readBigUInt64BE(0x158)).toBe(kernel.pqap + 4n);
    expect(processor.psw).toEqual({ mask: kernelPsw, address: kernel.handler });
    expect(general(processor, 1)).toBe("0000000000000000");
  });

  test("that the host cannot answer is told, and the guest goes on", async () => {
    await booted();
    let failures = 0;
    answer = ({ registers }) => {
      if (failures++ === 0) throw new Error("the host is gone");
      return { result: 3, registers, writes: [] };
    };
    await pass(kernel.pqap);
    expect(problems).toEqual(["an AP instruction could not be answered: the host is gone"]);
    await pass(kernel.pqap);
    expect(problems).toHaveLength(1);
  });

  test("waits for its answer while the machine stands", async () => {
    await booted();
    let release = (): void => {};
    answer = ({ registers }) => new Promise((resolve) => (release = () => resolve({ result: 0, registers, writes: [] })));
    machine.reach(kernel.pqap);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    expect(machine.isRunning).toBe(false);
    release();
    await running();
  });
});

describe("several processors", () => {
  test("that stand at instructions at once are all answered, each by its own registers", async () => {
    await booted({ count: 2 });
    const [first, second] = machine.processors as [ToyProcessor, ToyProcessor];
    first.registers[1] = 0x0504;
    second.registers[1] = 0x0604;
    first.psw = { mask: primaryPsw, address: 0n };
    second.psw = { mask: primaryPsw, address: kernel.dqap };
    answer = ({ registers }) => {
      const changed = Uint32Array.from(registers);
      changed[3] = registers[1]!;
      return { result: 0, registers: changed, writes: [] };
    };
    await pass(kernel.pqap);
    expect(requests.map(({ instruction }) => instruction.name)).toEqual(["pqap", "dqap"]);
    expect([general(first, 1), general(second, 1)]).toEqual(["0000000000000504", "0000000000000604"]);
    expect([first.psw.address, second.psw.address]).toEqual([kernel.pqap + 4n, kernel.dqap + 4n]);
  });

  test("that are elsewhere are left as they are", async () => {
    await booted({ count: 2 });
    const second = machine.processors[1]!;
    second.psw = { mask: primaryPsw, address: 0x1234n };
    await pass(kernel.pqap);
    expect(second.psw).toEqual({ mask: primaryPsw, address: 0x1234n });
    expect(requests).toHaveLength(1);
  });

  test("have their operands translated by their own control registers, whichever space that is", async () => {
    await booted({ count: 2 });
    const [first, second] = machine.processors as [ToyProcessor, ToyProcessor];
    second.controls.fill(0n);
    memory.bytes.write("a message", absolute.data, "latin1");
    first.registers.set([Number(kernel.data >> 32n), Number(kernel.data & 0xffffffffn), 0, 9], 8);
    for (const mask of [primaryPsw, kernelPsw]) {
      first.psw = { mask, address: 0n };
      await pass(kernel.nqap);
    }
    expect(requests.map(({ operand }) => Buffer.from(operand).toString())).toEqual(["a message", "a message"]);
  });
});

describe("a pause", () => {
  test("stops a running machine, and run lets it go on", async () => {
    await booted();
    await processors.pause();
    expect(machine.isRunning).toBe(false);
    processors.run();
    await running();
  });

  test("of a machine that stands is done at once", async () => {
    await attach();
    await processors.pause();
    expect(machine.stub.inputs).not.toContain("+");
  });

  test("during an instruction comes after its answer", async () => {
    const processor = await booted();
    let release = (): void => {};
    answer = ({ registers }) => new Promise((resolve) => (release = () => resolve({ result: 0, registers, writes: [] })));
    machine.reach(kernel.pqap);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    const paused = processors.pause();
    release();
    await paused;
    // Asked last, so answered when all before it was.
    await machine.stub.until(() => machine.stub.inputs.some((input) => input.startsWith("G")));
    expect(machine.isRunning).toBe(false);
    expect(processor.psw.address).toBe(kernel.pqap + 4n);
  });

  test("of a machine that is gone or goes meanwhile is none to wait for", async () => {
    await booted();
    const paused = processors.pause();
    machine.stub.hangUp();
    await paused;
    await processors.pause();
    expect(problems).toEqual([]);
  });
});

describe("a stop for another reason", () => {
  test.each(["guest-panicked", "shutdown", "io-error"])(
    "such as %s leaves the machine standing until it is told to run",
    async (status) => {
      await booted();
      const releases = count("D");
      const asked = new Promise<void>((resolve) => {
        machine.onQuery = resolve;
      });
      machine.stop(status);
      await asked;
      await new Promise<void>((resolve) => setImmediate(resolve));
      // Would stop a machine that was let go meanwhile.
      await processors.pause();
      expect([machine.isRunning, count("D")]).toEqual([false, releases]);
      processors.run();
      await running();
    },
  );

  test("of which nothing is known, such as a processor that was added, lets the machine go on with all processors", async () => {
    await booted({ count: 2 });
    machine.stop("paused");
    await running();
    await pass(kernel.pqap, machine.processors[1]!);
    expect(requests).toHaveLength(1);
  });
});

test("a restart lets all instructions go and waits for the next kernel", async () => {
  await booted();
  await processors.pause();
  memory.bytes.fill(0, 0x1d0, 0x1e0);
  processors.restart();
  processors.run();
  await running();
  expect([...machine.breakpoints]).toEqual([entry]);
  setHandler(kernel.handler);
  await poll();
  expect([...machine.breakpoints]).toEqual([entry, kernel.pqap, kernel.nqap, kernel.dqap]);
});

describe("processors on their way to another machine", () => {
  test("rest as paused ones, with their answers written and what was written beside QEMU touched by it", async () => {
    const processor = await booted();
    memory.bytes[0x3000] = 0x5a;
    machine.reach(kernel.pqap);
    await processors.pause();
    expect(machine.status).toBe("debug");
    machine.stub.inputs.length = 0;
    await processors.rest([0x3000]);
    expect([machine.status, machine.isRunning]).toEqual(["paused", false]);
    expect(processor.psw.address).toBe(kernel.pqap + 4n);
    const touches = machine.stub.inputs.filter((input) => /^[mMQ]/.test(input));
    expect(touches).toEqual(["Qqemu.PhyMemMode:1", "m3000,1", "M3000,1:5a", "Qqemu.PhyMemMode:0"]);
    processors.run();
    await running();
    await pass(kernel.nqap);
  });

  test("do not rest while they run, or when their QEMU is gone", async () => {
    await booted();
    await expect(processors.rest([])).rejects.toThrow("the guest runs");
    machine.close();
    await processors.pause();
    await expect(processors.rest([])).rejects.toThrow(/gone/);
  });

  /** Another machine, to which the memory has come. */
  async function moved(): Promise<void> {
    const record = processors.record();
    processors.close();
    machine.close();
    await attach();
    processors.adopt(readProcessorsRecord(Buffer.from(JSON.stringify(record))));
    processors.run();
    await running();
  }

  test("have the same instructions held there, and nothing is looked for", async () => {
    await booted();
    await processors.pause();
    const held = new Set(machine.breakpoints);
    await moved();
    expect(new Set(machine.breakpoints)).toEqual(held);
    expect(vi.getTimerCount()).toBe(0);
    mapKernel();
    await pass(kernel.dqap);
    expect(requests.map(({ instruction }) => instruction.name)).toEqual(["dqap"]);
  });

  test("of a kernel that has not stored its facilities have its STFLE held", async () => {
    await attach();
    memory.bytes.write("S390EP", 0x10008, "latin1");
    memory.bytes.write("b2b01000", 0x10400, "hex");
    processors.run();
    await running();
    await pass(entry);
    await processors.pause();
    await moved();
    expect(machine.breakpoints).toContain(0x10400n);
    machine.onStep = (processor) => {
      processor.psw = { ...processor.psw, address: processor.psw.address + 4n };
    };
    machine.processors[0]!.psw = { mask: realPsw, address: 0n };
    machine.processors[0]!.registers[3] = 0x8000;
    await pass(0x10400n);
    expect(memory.bytes.toString("hex", 0x8000, 0x8002)).toBe("0009");
  });

  test("of a kernel without AP instructions of its own go on watching its program checks", async () => {
    await attach();
    mapKernel();
    memory.bytes.fill(Buffer.from("b9040012", "hex"), absolute.text, absolute.text + 0x1000);
    processors.run();
    await running();
    await poll();
    expect(machine.breakpoints).toContain(kernel.handler);
    machine.processors[0]!.psw = { mask: kernelPsw, address: kernel.data };
    await processors.pause();
    await moved();
    expect(machine.breakpoints).toContain(kernel.handler);
    await pass(kernel.handler);
    expect(machine.breakpoints).toContain(kernel.handler + 4n);
    await processors.pause();
    await moved();
    expect(new Set(machine.breakpoints)).toEqual(new Set([entry, kernel.handler + 4n]));
  });
});
