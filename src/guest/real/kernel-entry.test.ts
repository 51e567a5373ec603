import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ToyProcessor } from "./gdb/toy-machine.ts";
import { entry, realPsw, ToyGuest } from "./toy-guest.ts";

let guest: ToyGuest;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  guest = new ToyGuest(() => vi.advanceTimersToNextTimer());
});

afterEach(() => {
  vi.useRealTimers();
  guest.close();
});

describe("the entry of a kernel", () => {
  const stfle = "b2b01000";

  /** An image with a mark and one STFLE. */
  function loadImage(): void {
    guest.memory.bytes.fill(Buffer.from("b9040012", "hex"), 0x10000, 0x11000);
    guest.memory.bytes.write("S390EP", 0x10008, "latin1");
    guest.memory.bytes.write(stfle, 0x10400, "hex");
  }

  /** TCG stores a list without AP. */
  const storeList = (processor: ToyProcessor): void => {
    if (processor.psw.address === 0x10400n) guest.memory.bytes.write("80000000000000014000000000000000", 0x8000, "hex");
    processor.psw = { ...processor.psw, address: processor.psw.address + 4n };
  };

  beforeEach(async () => {
    await guest.attach();
    guest.machine.onStep = storeList;
    guest.machine.processors[0]!.psw = { mask: realPsw, address: 0n };
  });

  test("is held from the start, and passed by a step", async () => {
    guest.processors.run();
    await guest.running();
    expect([...guest.machine.breakpoints]).toEqual([entry]);
    await guest.pass(entry);
    expect(guest.machine.processors[0]!.psw.address).toBe(entry + 4n);
  });

  test("puts the facilities of AP into the list that its STFLE stores", async () => {
    loadImage();
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    expect([...guest.machine.breakpoints]).toEqual([entry, 0x10400n]);
    guest.machine.processors[0]!.registers[1] = 1;
    guest.machine.processors[0]!.registers[3] = 0x8000;
    await guest.pass(0x10400n);
    expect(guest.memory.bytes.toString("hex", 0x8000, 0x8010)).toBe("80090000000000014000000000000000");
    expect(guest.machine.processors[0]!.psw.address).toBe(0x10404n);
    expect(guest.problems).toEqual([]);
  });

  test("changes no more of a list than the kernel has room for", async () => {
    loadImage();
    guest.memory.bytes.fill(0, 0x8008, 0x8010);
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    guest.machine.processors[0]!.registers[3] = 0x8000 - 8;
    guest.machine.onStep = (processor) => {
      processor.psw = { ...processor.psw, address: processor.psw.address + 4n };
    };
    await guest.pass(0x10400n);
    expect(guest.memory.bytes.toString("hex", 0x7ff8, 0x8008)).toBe("00090000000000000000000000000000");
  });

  test("of what has no kernel's mark holds no STFLE", async () => {
    loadImage();
    guest.memory.bytes.write("S390XX", 0x10008, "latin1");
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    expect([...guest.machine.breakpoints]).toEqual([entry]);
  });

  test("with more STFLEs than can be held is told, and the guest goes on", async () => {
    loadImage();
    guest.memory.bytes.fill(Buffer.from(stfle, "hex"), 0x10400, 0x12000);
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    expect(guest.problems).toEqual([expect.stringContaining("no more than")]);
    expect(guest.machine.processors[0]!.psw.address).toBe(entry + 4n);
  });

  test("whose STFLE ends in a program interruption is no problem of ours", async () => {
    loadImage();
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    guest.machine.processors[0]!.registers[2] = 0x7fff;
    guest.machine.onStep = (processor) => {
      processor.psw = { mask: realPsw, address: 0x200n };
    };
    await guest.pass(0x10400n);
    expect(guest.problems).toEqual([]);
    expect(guest.machine.processors[0]!.psw.address).toBe(0x200n);
  });
});
