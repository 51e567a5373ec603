import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { absolute, general, kernel, kernelPsw, ToyGuest } from "./toy-guest.ts";

let guest: ToyGuest;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  guest = new ToyGuest(() => vi.advanceTimersToNextTimer());
});

afterEach(() => {
  vi.useRealTimers();
  guest.close();
});

describe("an AP instruction", () => {
  test("is asked for with its registers, and its answer set behind it", async () => {
    const processor = await guest.booted();
    processor.psw = { mask: 0x0404_f001_8000_0000n, address: 0n };
    processor.registers.set([0, 0x00800504, 1, 2], 0);
    guest.answer = ({ registers }) => {
      const changed = Uint32Array.from(registers);
      changed.set([0, 0x00030000], 2);
      return { result: 1, registers: changed, writes: [] };
    };
    await guest.pass(kernel.pqap);
    expect(guest.requests).toMatchObject([
      { instruction: { name: "pqap", r1: 0, r2: 0 }, isProblemState: false, operand: new Uint8Array() },
    ]);
    expect([...guest.requests[0]!.registers.subarray(0, 4)]).toEqual([0, 0x00800504, 1, 2]);
    expect(processor.psw).toEqual({ mask: 0x0404_d001_8000_0000n, address: kernel.pqap + 4n });
    expect([general(processor, 0), general(processor, 1)]).toEqual(["0000000000800504", "0000000000030000"]);
    expect(guest.problems).toEqual([]);
  });

  test("of a program is told to be one", async () => {
    const processor = await guest.booted();
    processor.psw = { mask: 0x0705_0001_8000_0000n, address: 0n };
    guest.answer = ({ registers }) => ({ result: "privileged-operation", registers, writes: [] });
    await guest.pass(kernel.pqap);
    expect(guest.requests[0]!.isProblemState).toBe(true);
  });

  test("that is NQAP brings along what its second operand designates", async () => {
    const processor = await guest.booted();
    guest.memory.bytes.write("a message", absolute.data + 0x10, "latin1");
    processor.registers.set([Number(kernel.data >> 32n), Number(kernel.data & 0xffffffffn) + 0x10, 0, 9], 8);
    await guest.pass(kernel.nqap);
    expect(Buffer.from(guest.requests[0]!.operand).toString()).toBe("a message");
    expect(guest.requests[0]!.instruction).toEqual({ name: "nqap", r1: 2, r2: 4 });
  });

  test.each([
    ["more than 64 KiB", [0, 0x10001]],
    ["more than 4 GiB", [1, 9]],
  ])("that is NQAP of %s brings nothing along and is asked for all the same", async (_title, length) => {
    const processor = await guest.booted();
    processor.registers.set([Number(kernel.data >> 32n), Number(kernel.data & 0xffffffffn), ...length], 8);
    await guest.pass(kernel.nqap);
    expect(guest.requests.map(({ operand }) => operand.length)).toEqual([0]);
  });

  test("has its writes made where the guest's tables say", async () => {
    const processor = await guest.booted();
    guest.answer = ({ registers }) => ({
      result: 0,
      registers,
      writes: [{ address: Number(kernel.data) + 0x20, bytes: Buffer.from("a reply") }],
    });
    await guest.pass(kernel.dqap);
    expect(guest.memory.bytes.toString("latin1", absolute.data + 0x20, absolute.data + 0x27)).toBe("a reply");
    expect(processor.psw.address).toBe(kernel.dqap + 4n);
  });

  test.each([
    ["takes from", "nqap", []],
    ["writes to", "dqap", [{ address: 0x5000_0000, bytes: Buffer.from("a reply") }]],
  ] as const)(
    "that %s where nothing is mapped is interrupted for addressing, with its registers as they were",
    async (_title, name, writes) => {
      const processor = await guest.booted();
      processor.registers.set([0, 0x5000_0000, 0, 8], 8);
      guest.answer = ({ registers }) => ({ result: 0, registers: Uint32Array.from(registers).fill(7), writes });
      await guest.pass(kernel[name]);
      expect(processor.psw).toEqual({ mask: kernelPsw, address: kernel.handler });
      expect(guest.memory.bytes.toString("hex", 0x8c, 0x90)).toBe("00040005");
      expect(general(processor, 4)).toBe("0000000050000000");
      expect(guest.problems).toEqual([]);
    },
  );

  test.each([
    ["operation", "00040001"],
    ["privileged-operation", "00040002"],
    ["specification", "00040006"],
  ] as const)("that is answered by a program interruption for %s takes it", async (result, stored) => {
    const processor = await guest.booted();
    guest.answer = ({ registers }) => ({ result, registers: Uint32Array.from(registers).fill(7), writes: [] });
    await guest.pass(kernel.pqap);
    expect(guest.memory.bytes.toString("hex", 0x8c, 0x90)).toBe(stored);
    expect(guest.memory.bytes.readBigUInt64BE(0x158)).toBe(kernel.pqap + 4n);
    expect(processor.psw).toEqual({ mask: kernelPsw, address: kernel.handler });
    expect(general(processor, 1)).toBe("0000000000000000");
  });

  test("that the host cannot answer is told, and the guest goes on", async () => {
    await guest.booted();
    let failures = 0;
    guest.answer = ({ registers }) => {
      if (failures++ === 0) throw new Error("the host is gone");
      return { result: 3, registers, writes: [] };
    };
    await guest.pass(kernel.pqap);
    expect(guest.problems).toEqual(["an AP instruction could not be answered: the host is gone"]);
    await guest.pass(kernel.pqap);
    expect(guest.problems).toHaveLength(1);
  });

  test("waits for its answer while the machine stands", async () => {
    await guest.booted();
    let release = (): void => {};
    guest.answer = ({ registers }) => new Promise((resolve) => (release = () => resolve({ result: 0, registers, writes: [] })));
    guest.machine.reach(kernel.pqap);
    await vi.waitFor(() => expect(guest.requests).toHaveLength(1));
    expect(guest.machine.isRunning).toBe(false);
    release();
    await guest.running();
  });
});
