import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ToyProcessor } from "./gdb/toy-machine.ts";
import { readProcessorsRecord } from "./migration/processors-record.ts";
import { absolute, entry, general, kernel, kernelPsw, primaryPsw, realPsw, ToyGuest } from "./toy-guest.ts";

let guest: ToyGuest;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  guest = new ToyGuest(() => vi.advanceTimersToNextTimer());
});

afterEach(() => {
  vi.useRealTimers();
  guest.close();
});

describe("a guest whose processor has no AP", () => {
  test("is held nowhere and never looked at", async () => {
    await guest.attach({ hasAp: false });
    guest.mapKernel();
    guest.processors.run();
    await guest.running();
    expect(vi.getTimerCount()).toBe(0);
    expect(guest.machine.breakpoints.size).toBe(0);
  });
});

describe("several processors", () => {
  test("that stand at instructions at once are all answered, each by its own registers", async () => {
    await guest.booted({ count: 2 });
    const [first, second] = guest.machine.processors as [ToyProcessor, ToyProcessor];
    first.registers[1] = 0x0504;
    second.registers[1] = 0x0604;
    first.psw = { mask: primaryPsw, address: 0n };
    second.psw = { mask: primaryPsw, address: kernel.dqap };
    guest.answer = ({ registers }) => {
      const changed = Uint32Array.from(registers);
      changed[3] = registers[1]!;
      return { result: 0, registers: changed, writes: [] };
    };
    await guest.pass(kernel.pqap);
    expect(guest.requests.map(({ instruction }) => instruction.name)).toEqual(["pqap", "dqap"]);
    expect([general(first, 1), general(second, 1)]).toEqual(["0000000000000504", "0000000000000604"]);
    expect([first.psw.address, second.psw.address]).toEqual([kernel.pqap + 4n, kernel.dqap + 4n]);
  });

  test("that are elsewhere are left as they are", async () => {
    await guest.booted({ count: 2 });
    const second = guest.machine.processors[1]!;
    second.psw = { mask: primaryPsw, address: 0x1234n };
    await guest.pass(kernel.pqap);
    expect(second.psw).toEqual({ mask: primaryPsw, address: 0x1234n });
    expect(guest.requests).toHaveLength(1);
  });

  test("have their operands translated by their own control registers, whichever space that is", async () => {
    await guest.booted({ count: 2 });
    const [first, second] = guest.machine.processors as [ToyProcessor, ToyProcessor];
    second.controls.fill(0n);
    guest.memory.bytes.write("a message", absolute.data, "latin1");
    first.registers.set([Number(kernel.data >> 32n), Number(kernel.data & 0xffffffffn), 0, 9], 8);
    for (const mask of [primaryPsw, kernelPsw]) {
      first.psw = { mask, address: 0n };
      await guest.pass(kernel.nqap);
    }
    expect(guest.requests.map(({ operand }) => Buffer.from(operand).toString())).toEqual(["a message", "a message"]);
  });
});

describe("a pause", () => {
  test("stops a running machine, and run lets it go on", async () => {
    await guest.booted();
    await guest.processors.pause();
    expect(guest.machine.isRunning).toBe(false);
    guest.processors.run();
    await guest.running();
  });

  test("of a machine that stands is done at once", async () => {
    await guest.attach();
    await guest.processors.pause();
    expect(guest.machine.stub.inputs).not.toContain("+");
  });

  test("during an instruction comes after its answer", async () => {
    const processor = await guest.booted();
    let release = (): void => {};
    guest.answer = ({ registers }) => new Promise((resolve) => (release = () => resolve({ result: 0, registers, writes: [] })));
    guest.machine.reach(kernel.pqap);
    await vi.waitFor(() => expect(guest.requests).toHaveLength(1));
    const paused = guest.processors.pause();
    release();
    await paused;
    // Asked last, so answered when all before it was.
    await guest.machine.stub.until(() => guest.machine.stub.inputs.some((input) => input.startsWith("G")));
    expect(guest.machine.isRunning).toBe(false);
    expect(processor.psw.address).toBe(kernel.pqap + 4n);
  });

  test("of a machine that is gone or goes meanwhile is none to wait for", async () => {
    await guest.booted();
    const paused = guest.processors.pause();
    guest.machine.stub.hangUp();
    await paused;
    await guest.processors.pause();
    expect(guest.problems).toEqual([]);
  });
});

describe("a stop for another reason", () => {
  test.each(["guest-panicked", "shutdown", "io-error"])(
    "such as %s leaves the machine standing until it is told to run",
    async (status) => {
      await guest.booted();
      const releases = guest.count("D");
      const asked = new Promise<void>((resolve) => {
        guest.machine.onQuery = resolve;
      });
      guest.machine.stop(status);
      await asked;
      await new Promise<void>((resolve) => setImmediate(resolve));
      // Would stop a machine that was let go meanwhile.
      await guest.processors.pause();
      expect([guest.machine.isRunning, guest.count("D")]).toEqual([false, releases]);
      guest.processors.run();
      await guest.running();
    },
  );

  test("of which nothing is known, such as a processor that was added, lets the machine go on with all processors", async () => {
    await guest.booted({ count: 2 });
    guest.machine.stop("paused");
    await guest.running();
    await guest.pass(kernel.pqap, guest.machine.processors[1]!);
    expect(guest.requests).toHaveLength(1);
  });
});

test("a restart lets all instructions go and waits for the next kernel", async () => {
  await guest.booted();
  await guest.processors.pause();
  guest.memory.bytes.fill(0, 0x1d0, 0x1e0);
  guest.processors.restart();
  guest.processors.run();
  await guest.running();
  expect([...guest.machine.breakpoints]).toEqual([entry]);
  guest.setHandler(kernel.handler);
  await guest.poll();
  expect([...guest.machine.breakpoints]).toEqual([kernel.pqap, kernel.nqap, kernel.dqap]);
});

describe("processors on their way to another machine", () => {
  test("rest as paused ones, with their answers written and what was written beside QEMU touched by it", async () => {
    const processor = await guest.booted();
    guest.memory.bytes[0x3000] = 0x5a;
    guest.machine.reach(kernel.pqap);
    await guest.processors.pause();
    expect(guest.machine.status).toBe("debug");
    guest.machine.stub.inputs.length = 0;
    await guest.processors.rest([0x3000]);
    expect([guest.machine.status, guest.machine.isRunning]).toEqual(["paused", false]);
    expect(processor.psw.address).toBe(kernel.pqap + 4n);
    const touches = guest.machine.stub.inputs.filter((input) => /^[mMQ]/.test(input));
    expect(touches).toEqual(["Qqemu.PhyMemMode:1", "m3000,1", "M3000,1:5a", "Qqemu.PhyMemMode:0"]);
    guest.processors.run();
    await guest.running();
    await guest.pass(kernel.nqap);
  });

  test("do not rest while they run, or when their QEMU is gone", async () => {
    await guest.booted();
    await expect(guest.processors.rest([])).rejects.toThrow("the guest runs");
    guest.machine.close();
    await guest.processors.pause();
    await expect(guest.processors.rest([])).rejects.toThrow(/gone/);
  });

  /** Another machine, to which the memory has come. */
  async function moved(): Promise<void> {
    const record = guest.processors.record();
    guest.processors.close();
    guest.machine.close();
    await guest.attach();
    guest.processors.adopt(readProcessorsRecord(Buffer.from(JSON.stringify(record))));
    guest.processors.run();
    await guest.running();
  }

  test("have the same instructions held there, and nothing is looked for", async () => {
    await guest.booted();
    await guest.processors.pause();
    const held = new Set(guest.machine.breakpoints);
    await moved();
    expect(new Set(guest.machine.breakpoints)).toEqual(held);
    expect(vi.getTimerCount()).toBe(0);
    guest.mapKernel();
    await guest.pass(kernel.dqap);
    expect(guest.requests.map(({ instruction }) => instruction.name)).toEqual(["dqap"]);
  });

  test("of a kernel that has not stored its facilities have its STFLE held", async () => {
    await guest.attach();
    guest.memory.bytes.write("S390EP", 0x10008, "latin1");
    guest.memory.bytes.write("b2b01000", 0x10400, "hex");
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    await guest.processors.pause();
    await moved();
    expect(guest.machine.breakpoints).toContain(0x10400n);
    guest.machine.onStep = (processor) => {
      processor.psw = { ...processor.psw, address: processor.psw.address + 4n };
    };
    guest.machine.processors[0]!.psw = { mask: realPsw, address: 0n };
    guest.machine.processors[0]!.registers[3] = 0x8000;
    await guest.pass(0x10400n);
    expect(guest.memory.bytes.toString("hex", 0x8000, 0x8002)).toBe("0009");
  });

  test("of a kernel without AP instructions of its own go on watching its program checks", async () => {
    await guest.attach();
    guest.mapKernel();
    guest.memory.bytes.fill(Buffer.from("b9040012", "hex"), absolute.text, absolute.text + 0x1000);
    guest.processors.run();
    await guest.running();
    await guest.poll();
    expect(guest.machine.breakpoints).toContain(kernel.handler);
    guest.machine.processors[0]!.psw = { mask: kernelPsw, address: kernel.data };
    await guest.processors.pause();
    await moved();
    expect(guest.machine.breakpoints).toContain(kernel.handler);
    await guest.pass(kernel.handler);
    expect(guest.machine.breakpoints).toContain(kernel.handler + 4n);
    await guest.processors.pause();
    await moved();
    expect(new Set(guest.machine.breakpoints)).toEqual(new Set([entry, kernel.handler + 4n]));
  });
});
