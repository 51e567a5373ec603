import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MachineHold } from "./machine-hold.ts";
import { ToyMachine } from "./toy-machine.ts";

let folder: string;
let machine: ToyMachine;
let hold: MachineHold;
let stops: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "gdb-"));
  machine = await ToyMachine.listen(join(folder, "gdb"), 3);
  stops = 0;
  hold = await MachineHold.over(machine.stub.path, machine, () => stops++);
  machine.stub.inputs.length = 0;
  machine.stub.pieces.length = 0;
});

afterEach(() => {
  hold.close();
  machine.close();
  rmSync(folder, { recursive: true });
});

async function released(): Promise<void> {
  hold.release();
  await machine.running();
}

describe("a release", () => {
  test("detaches, stops, sets the breakpoints and continues, in one piece", async () => {
    hold.setBreakpoint(0x3ff_e010_5a2cn);
    hold.setBreakpoint(0x10000n);
    await released();
    expect(machine.stub.inputs).toEqual(["D", "+", "+", "Z1,3ffe0105a2c,2", "Z1,10000,2", "c"]);
    expect(machine.stub.pieces).toEqual(["$D#44++$Z1,3ffe0105a2c,2#35$Z1,10000,2#06$c#63"]);
    expect([...machine.breakpoints]).toEqual([0x3ff_e010_5a2cn, 0x10000n]);
  });

  test("counts off its own stop, so that the machine runs on", async () => {
    await released();
    expect(hold.isRunning).toBe(true);
    expect(stops).toBe(0);
  });

  test("leaves no reply that a later request would take for its own", async () => {
    hold.setBreakpoint(0x10000n);
    await released();
    machine.reach(0x10000n);
    expect(await hold.client.request("m0,2")).toBe("0000");
  });

  test("has no breakpoint that was cleared", async () => {
    hold.setBreakpoint(0x10000n);
    hold.setBreakpoint(0x20000n);
    hold.clearBreakpoint(0x10000n);
    expect([hold.hasBreakpoint(0x10000n), hold.hasBreakpoint(0x20000n)]).toEqual([false, true]);
    await released();
    expect(machine.reach(0x10000n)).toBe(false);
    expect(machine.reach(0x20000n)).toBe(true);
  });

  test("can be repeated, each with a stop of its own to count off", async () => {
    hold.setBreakpoint(0x10000n);
    for (let times = 1; times <= 3; times++) {
      await released();
      expect(stops).toBe(times - 1);
      machine.reach(0x10000n);
      expect(stops).toBe(times);
    }
  });
});

describe("a machine that stands at a breakpoint", () => {
  beforeEach(async () => {
    hold.setBreakpoint(0x10000n);
    await released();
    machine.reach(0x10000n);
    await hold.threads();
    machine.stub.pieces.length = 0;
  });

  test("rests as one that was paused, with the debugger attached, and no stop is told", async () => {
    expect(machine.status).toBe("debug");
    await hold.rest();
    expect([machine.status, machine.isRunning, hold.isRunning, stops]).toEqual(["paused", false, false, 1]);
    expect(await hold.client.request("m0,2")).toBe("0000");
    expect(machine.stub.pieces[0]).toBe("$D#44++$Z1,10000,2#06+");
    expect(machine.stub.inputs.at(-2)).toBe("vAttach;1");
    await released();
    expect(machine.reach(0x10000n)).toBe(true);
    expect(stops).toBe(2);
  });

  test("is let run by another way with its breakpoints and without a debugger", async () => {
    await hold.releaseBy(async () => {
      expect([machine.status, machine.isRunning, hold.isRunning]).toEqual(["paused", false, true]);
      machine.isRunning = true;
    });
    expect(machine.reach(0x10000n)).toBe(true);
    expect([stops, hold.isRunning]).toEqual([2, false]);
    expect(await hold.client.request("m0,2")).toBe("0000");
  });

  test("and is let run by another way stops when it is asked to", async () => {
    await hold.releaseBy(async () => {
      machine.isRunning = true;
    });
    hold.interrupt();
    await machine.stub.until(() => !machine.isRunning);
    expect([machine.status, stops, hold.isRunning]).toEqual(["paused", 2, false]);
  });

  test("and is gone meanwhile is not waited for", async () => {
    machine.close();
    await hold.rest();
    await expect(hold.client.request("m0,2")).rejects.toThrow("the gdb stub is gone");
  });
});

describe("a stop", () => {
  test("at a breakpoint is told once, and the debugger attached again", async () => {
    hold.setBreakpoint(0x10000n);
    await released();
    expect(machine.reach(0x10000n)).toBe(true);
    expect(hold.isRunning).toBe(false);
    expect(stops).toBe(1);
    await machine.stub.until(() => machine.stub.inputs.includes("vAttach;1"));
    expect(machine.stub.inputs.slice(-3)).toEqual(["c", "+", "vAttach;1"]);
  });

  test("comes when it is asked for, whatever the processors do", async () => {
    await released();
    hold.interrupt();
    await machine.stub.until(() => machine.stub.inputs.includes("vAttach;1"));
    expect(stops).toBe(1);
    expect(machine.isRunning).toBe(false);
  });

  test("is not asked for of a machine that stands", async () => {
    hold.interrupt();
    await hold.client.request("?");
    expect(machine.stub.inputs).toEqual(["?"]);
  });

  test("for any other reason is told, too", async () => {
    await released();
    machine.stop("guest-panicked");
    expect(stops).toBe(1);
  });
});

describe("breakpoints", () => {
  test("are no more than fit into what the stub reads at once", async () => {
    let count = 0;
    const addBreakpoints = (): void => {
      for (; count < 1000; count++) hold.setBreakpoint(0x3ff_e000_0000n + BigInt(4 * count));
    };
    expect(addBreakpoints).toThrow(/^no more than \d+ breakpoints$/);
    expect(count).toBeGreaterThan(100);
    expect(hold.hasBreakpoint(0x3ff_e000_0000n + BigInt(4 * count))).toBe(false);
    await released();
    expect(machine.stub.pieces[0]!.length).toBeLessThan(2600);
    expect(machine.breakpoints.size).toBe(count);
  });

  test("that are set twice are one", async () => {
    hold.setBreakpoint(0x10000n);
    hold.setBreakpoint(0x10000n);
    await released();
    expect(machine.stub.inputs.filter((input) => input.startsWith("Z1"))).toHaveLength(1);
  });
});

describe("a step", () => {
  test("is one of the processor that is named, and no stop to be told", async () => {
    const [first, second] = machine.processors;
    await hold.step(second!.thread);
    expect([first!.psw.address, second!.psw.address]).toEqual([0n, 2n]);
    expect(machine.stub.inputs).toEqual(["vCont;s:p01.02"]);
    expect(stops).toBe(0);
  });

  test("is over only when the machine stands again", async () => {
    const silent = { watch: () => {} };
    machine.stub.hangUp();
    const other = await MachineHold.over(machine.stub.path, silent, () => {});
    let isOver = false;
    void other.step("p01.01").then(() => {
      isOver = true;
    });
    await machine.stub.until(() => machine.stub.inputs.includes("vCont;s:p01.01"));
    // The second answer comes in a later turn than the step's own.
    for (let times = 0; times < 2; times++) expect(await other.client.request("m0,1")).toBe("00");
    expect(isOver).toBe(false);
    other.close();
  });

  test("of a machine that goes fails", async () => {
    machine.onStep = () => machine.stub.hangUp();
    await expect(hold.step("p01.01")).rejects.toThrow("the gdb stub is gone");
  });
});

test("processors are named however many replies that takes", async () => {
  expect(await hold.threads()).toEqual(["p01.01", "p01.02", "p01.03"]);
});

test("a close ends the connection", async () => {
  hold.close();
  await hold.client.closed;
  expect(hold.client.isClosed).toBe(true);
});
