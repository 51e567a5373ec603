import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ToyProcessor } from "./gdb/toy-machine.ts";
import { readProcessorsRecord } from "./migration/processors-record.ts";
import { absolute, general, kernel, kernelPsw, primaryPsw, ToyGuest } from "./toy-guest.ts";

let guest: ToyGuest;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  guest = new ToyGuest(() => vi.advanceTimersToNextTimer());
});

afterEach(() => {
  vi.useRealTimers();
  guest.close();
});

const held = [kernel.pqap, kernel.nqap, kernel.dqap];
/** Of a guest that used no AP for a while. */
const asleep = (): Promise<void> =>
  vi.waitFor(() => expect([...guest.machine.breakpoints, guest.machine.isRunning]).toEqual([true]), { timeout: 5000 });
/** Where the kernel saved what a program was doing. */
const saved = { at: kernel.data + 0x100n, psw: absolute.data + 0x108 } as const;

async function bootedAsleep(count = 1): Promise<ToyProcessor> {
  await guest.attach({ count });
  for (const processor of guest.machine.processors) guest.mapKernel(processor);
  guest.mapExceptions();
  guest.processors.run();
  await guest.running();
  await guest.poll();
  expect([...guest.machine.breakpoints]).toEqual(held);
  await asleep();
  return guest.machine.processors[0]!;
}

/** A processor reads the entry: its program was interrupted behind an instruction. Resolves when the machine goes on. */
async function interrupted(processor: ToyProcessor, mask: bigint, behind: bigint): Promise<void> {
  guest.memory.bytes.writeBigUInt64BE(mask, saved.psw);
  guest.memory.bytes.writeBigUInt64BE(behind, saved.psw + 8);
  setRegister(processor, 1, kernel.taker);
  setRegister(processor, 2, saved.at);
  setRegister(processor, 14, kernel.afterLoad + 2n);
  processor.psw = { mask: kernelPsw, address: 0n };
  const path = [kernel.afterLoad + 0x40n, kernel.taker];
  guest.machine.onStep = (stepped) => {
    stepped.psw = { ...stepped.psw, address: path.shift()! };
  };
  if (!guest.machine.load(kernel.exceptionEntry, kernel.afterLoad, processor)) throw new Error("nothing watches the entry");
  await guest.running();
}

function setRegister({ registers }: ToyProcessor, number: number, value: bigint): void {
  registers.set([Number(value >> 32n), Number(value & 0xffffffffn)], 2 * number);
}

describe("a guest that leaves AP alone", () => {
  test("has no breakpoints, and its table of exceptions is watched", async () => {
    await bootedAsleep();
    expect(guest.machine.watched).toBe(kernel.exceptionEntry);
    expect(guest.requests).toEqual([]);
  });

  test("keeps them where no table was found", async () => {
    await guest.booted();
    await wait(400);
    expect([[...guest.machine.breakpoints], guest.machine.watched]).toEqual([held, undefined]);
  });

  test("and then does not is sent back to its instruction, which is answered", async () => {
    const processor = await bootedAsleep();
    setRegister(processor, 8, 0x1234n);
    await interrupted(processor, kernelPsw, kernel.nqap + 4n);
    expect(guest.memory.bytes.readBigUInt64BE(saved.psw + 8)).toBe(kernel.nqap);
    // As if who takes the exception had returned.
    expect(processor.psw).toEqual({ mask: kernelPsw, address: kernel.afterLoad + 2n });
    expect(general(processor, 8)).toBe("0000000000001234");
    expect([[...guest.machine.breakpoints], guest.machine.watched]).toEqual([held, kernel.exceptionEntry]);
    await guest.pass(kernel.nqap);
    expect(guest.requests.map(({ instruction }) => instruction.name)).toEqual(["nqap"]);
    await asleep();
    expect(guest.machine.watched).toBe(kernel.exceptionEntry);
    expect(guest.problems).toEqual([]);
  });

  test("has them as long as it goes on using AP", async () => {
    await bootedAsleep();
    await interrupted(guest.machine.processors[0]!, kernelPsw, kernel.pqap + 4n);
    for (let use = 0; use < 8; use++) {
      await guest.pass(kernel.pqap);
      await wait(60);
      expect([...guest.machine.breakpoints]).toEqual(held);
    }
  });
});

describe("an operation exception that is not for us", () => {
  test.each([
    ["of a program", primaryPsw | (1n << 48n), kernel.nqap + 4n],
    ["of the kernel at another instruction", kernelPsw, kernel.data + 0x800n],
  ])("%s goes to the guest's kernel, and its breakpoints stay away", async (_, mask, behind) => {
    const processor = await bootedAsleep();
    await interrupted(processor, mask, behind);
    expect(guest.memory.bytes.readBigUInt64BE(saved.psw + 8)).toBe(behind);
    expect(processor.psw.address).toBe(kernel.taker);
    expect([[...guest.machine.breakpoints], guest.machine.watched]).toEqual([[], kernel.exceptionEntry]);
  });
});

test("a stop for another reason is not taken for one", async () => {
  const processor = await bootedAsleep();
  processor.psw = { mask: kernelPsw, address: kernel.afterLoad };
  guest.machine.stop("paused");
  await guest.running();
  expect(processor.psw.address).toBe(kernel.afterLoad);
  expect(guest.machine.watched).toBe(kernel.exceptionEntry);
});

test("of several processors only the one that read the entry is moved", async () => {
  const idle = await bootedAsleep(2);
  idle.psw = { mask: primaryPsw, address: 0x2000n };
  const second = guest.machine.processors[1]!;
  await interrupted(second, kernelPsw, kernel.dqap + 4n);
  expect(idle.psw).toEqual({ mask: primaryPsw, address: 0x2000n });
  expect(second.psw.address).toBe(kernel.afterLoad + 2n);
});

test("a processor that was on its way to the entry when another one woke the breakpoints is sent back as well", async () => {
  const first = await bootedAsleep(2);
  await interrupted(guest.machine.processors[1]!, kernelPsw, kernel.dqap + 4n);
  expect([...guest.machine.breakpoints]).toEqual(held);
  await interrupted(first, kernelPsw, kernel.nqap + 4n);
  expect(guest.memory.bytes.readBigUInt64BE(saved.psw + 8)).toBe(kernel.nqap);
  expect(first.psw.address).toBe(kernel.afterLoad + 2n);
});

test("two processors that read the entry at once are both sent back", async () => {
  const first = await bootedAsleep(2);
  const second = guest.machine.processors[1]!;
  setRegister(second, 1, kernel.taker);
  setRegister(second, 2, saved.at);
  setRegister(second, 14, kernel.afterLoad + 2n);
  second.psw = { mask: kernelPsw, address: kernel.afterLoad };
  const steps = interrupted(first, kernelPsw, kernel.nqap + 4n);
  guest.machine.onStep = (stepped) => {
    // The first one's saved instruction is the second one's, too: as if both had been interrupted there.
    guest.memory.bytes.writeBigUInt64BE(kernel.nqap + 4n, saved.psw + 8);
    stepped.psw = { ...stepped.psw, address: kernel.taker };
  };
  await steps;
  expect([first.psw.address, second.psw.address]).toEqual([kernel.afterLoad + 2n, kernel.afterLoad + 2n]);
});

test("a processor that was added in the meantime is sent back as well", async () => {
  await bootedAsleep();
  const added = guest.machine.add();
  await interrupted(added, kernelPsw, kernel.dqap + 4n);
  expect(added.psw.address).toBe(kernel.afterLoad + 2n);
  expect([...guest.machine.breakpoints]).toEqual(held);
});

test("an exception at the start of what is mapped, and a look at the table without an exception, are nobody's", async () => {
  const processor = await bootedAsleep();
  await interrupted(processor, kernelPsw, kernel.handler + 2n);
  expect([[...guest.machine.breakpoints], guest.problems]).toEqual([[], []]);
  for (let look = 0; look < 2; look++) {
    setRegister(processor, 1, kernel.taker);
    processor.psw = { mask: kernelPsw, address: 0n };
    guest.machine.onStep = (stepped) => {
      stepped.psw = { ...stepped.psw, address: stepped.psw.address + 4n };
    };
    guest.machine.load(kernel.exceptionEntry, kernel.afterLoad);
    await guest.running();
  }
  expect(guest.problems).toEqual(["who takes the exceptions of the guest's kernel was looked up, and no exception followed"]);
});

test("a restart watches nothing", async () => {
  await bootedAsleep();
  await guest.processors.pause();
  guest.processors.restart();
  guest.memory.bytes.fill(0, 0x1d0, 0x1e0);
  guest.processors.run();
  await guest.running();
  expect(guest.machine.watched).toBeUndefined();
});

test("a guest that was moved while it left AP alone sleeps at the other side, and wakes", async () => {
  await bootedAsleep();
  await guest.processors.pause();
  const record = readProcessorsRecord(Buffer.from(JSON.stringify(guest.processors.record())));
  guest.processors.close();
  guest.machine.close();
  await guest.attach();
  guest.mapKernel();
  guest.mapExceptions();
  guest.processors.adopt(record);
  guest.processors.run();
  await guest.running();
  await asleep();
  await interrupted(guest.machine.processors[0]!, kernelPsw, kernel.pqap + 4n);
  await guest.pass(kernel.pqap);
  expect(guest.requests).toHaveLength(1);
});
