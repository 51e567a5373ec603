import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { absolute, entry, kernel, kernelPsw, realPsw, ToyGuest } from "./toy-guest.ts";

let guest: ToyGuest;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  guest = new ToyGuest(() => vi.advanceTimersToNextTimer());
});

afterEach(() => {
  vi.useRealTimers();
  guest.close();
});

describe("a kernel while it boots", () => {
  test("is looked for every 20 ms until it has set its program-check handler, and never again", async () => {
    await guest.attach();
    guest.processors.run();
    await guest.running();
    await guest.poll();
    await guest.poll();
    expect([...guest.machine.breakpoints]).toEqual([entry]);
    guest.mapKernel();
    await guest.poll();
    expect([...guest.machine.breakpoints]).toEqual([kernel.pqap, kernel.nqap, kernel.dqap]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is looked through only when the handler is another one than before", async () => {
    await guest.attach();
    guest.setHandler(0x1_0000_0000n);
    guest.machine.processors[0]!.psw = { mask: kernelPsw, address: 0x1_0000_0000n };
    guest.processors.run();
    await guest.running();
    await guest.poll();
    // Each stop asks for registers once, and a look through the text another time.
    expect(guest.count("g")).toBe(2);
    await guest.poll();
    expect(guest.count("g")).toBe(3);
    guest.mapKernel();
    await guest.poll();
    expect(guest.machine.breakpoints.size).toBe(3);
  });

  test("lets the STFLEs of its decompressor go when it is found", async () => {
    await guest.attach();
    guest.memory.bytes.write("S390EP", 0x10008, "latin1");
    guest.memory.bytes.write("b2b01000", 0x10400, "hex");
    guest.machine.processors[0]!.psw = { mask: realPsw, address: 0n };
    guest.processors.run();
    await guest.running();
    await guest.pass(entry);
    expect(guest.machine.breakpoints).toContain(0x10400n);
    guest.mapKernel();
    await guest.poll();
    expect(guest.machine.breakpoints).not.toContain(0x10400n);
  });

  test("with more AP instructions than can be held is told", async () => {
    await guest.attach();
    guest.mapKernel();
    guest.memory.bytes.fill(Buffer.from("b2af0000", "hex"), absolute.text + 0x600, absolute.text + 0x1000);
    guest.processors.run();
    await guest.running();
    await guest.poll();
    expect(guest.problems).toEqual([expect.stringContaining("no more than")]);
  });
});
