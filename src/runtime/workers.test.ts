import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { checkFuse } from "../fuse/check-fuse.ts";
import { Errno } from "../sysfs/errno.ts";
import { startInProcess } from "./in-process.ts";
import type { Runtime } from "./runtime.ts";
import { createModel } from "./toy-model.ts";
import { run, ToyProcess } from "./toy-process.ts";

/** Compiled: threads import it by themselves. */
const module = fileURLToPath(new URL("../../dist/runtime/toy-worker.js", import.meta.url));
const workers = { module, count: 2 };
const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
const squares = numbers.map((value) => value * value);

describe("a model in process with workers", () => {
  let runtime: Runtime;
  const faults: Error[] = [];
  const start = (options = { workers }): void => {
    runtime = startInProcess(createModel, { configuration: {}, clock: "manual", onFault: (error) => faults.push(error), ...options });
  };
  const square = (value: number): Promise<unknown> => runtime.command({ do: "square", value });
  const threadCount = (): number => readdirSync("/proc/self/task").length;
  afterEach(() => runtime.stop());

  test("gets their answers, in order, while it does other things", async () => {
    start();
    const all = Promise.all(numbers.map(square));
    await runtime.command({ do: "set", value: 7 });
    expect(await runtime.command({ do: "value" })).toBe(7);
    expect(await all).toEqual(squares);
  });

  test("starts a thread when it first sends it something, and none is left when it has ended", async () => {
    const before = threadCount();
    start();
    await runtime.command({ do: "value" });
    expect(threadCount()).toBe(before);
    await square(2);
    expect(threadCount()).toBe(before + 1);
    await square(3);
    await square(4);
    expect(threadCount()).toBe(before + 2);
    await runtime.stop();
    expect(threadCount()).toBe(before);
  });

  test("ends while they work, and what waits for them is rejected", async () => {
    const before = threadCount();
    start();
    await square(1);
    const waiting = numbers.map((value) => expect(square(value)).rejects.toThrow("the runtime was stopped"));
    await runtime.stop();
    await Promise.all(waiting);
    expect(threadCount()).toBe(before);
  });

  test("hears of one that ended, and gets another with its next message", async () => {
    start();
    expect(await square(2)).toBe(4);
    await expect(square(-2)).rejects.toEqual(new Errno("EIO"));
    expect(await square(4)).toBe(16);
  });

  test("hears of one that could not start, with the reason as a fault", async () => {
    start({ workers: { module: `${module}.not-there`, count: 1 } });
    await expect(square(2)).rejects.toEqual(new Errno("EIO"));
    expect(faults.map(({ message }) => message).join()).toContain("not-there");
  });
});

const reason = checkFuse();

describe.skipIf(reason !== undefined)("a mounted model with workers", { timeout: 60_000 }, () => {
  let toy: ToyProcess;
  const square = async (value: number): Promise<unknown> => {
    const { answer, refused } = await toy.command({ do: "square", value });
    return answer ?? refused;
  };
  afterEach(() => toy.destroy());

  test("gets their answers though it waits in read(2) for the kernel, and what they change is seen at once", async () => {
    toy = await ToyProcess.start({ workers });
    for (const [index, value] of numbers.entries()) {
      expect(await square(value)).toBe(squares[index]);
      if (value % 8 === 0) expect(Number((await run("cat", toy.path("hex"))).stdout)).toBe(squares[index]);
    }
    expect(await toy.stop()).toBe(0);
  });

  test("hears of one that ended, and gets another with its next message", async () => {
    toy = await ToyProcess.start({ workers });
    expect(await square(2)).toBe(4);
    expect(await square(-2)).toMatch("EIO");
    expect(await square(4)).toBe(16);
    expect(await toy.stop()).toBe(0);
  });

  test("ends with its process, whatever they are doing", async () => {
    toy = await ToyProcess.start({ workers });
    for (const value of numbers) toy.process.stdin?.write(`${JSON.stringify({ do: "square", value })}\n`);
    await toy.line(({ answer }) => answer === 1);
    expect(await toy.stop()).toBe(0);
  });
});
