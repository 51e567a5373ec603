import { describe, expect, test } from "vitest";
import { Errno } from "../sysfs/errno.ts";
import { Wait } from "../sysfs/wait.ts";
import { startInProcess } from "./in-process.ts";
import type { CreateModel, ModelEvent } from "./model.ts";
import type { Runtime, RuntimeOptions } from "./runtime.ts";
import { createModel } from "./toy-model.ts";

const start = (
  options: Partial<RuntimeOptions> = {},
  create: CreateModel = createModel,
): { runtime: Runtime; events: ModelEvent[]; faults: Error[] } => {
  const events: ModelEvent[] = [];
  const faults: Error[] = [];
  const runtime = startInProcess(create, {
    configuration: {},
    clock: "manual",
    onEvent: (event) => void events.push(event),
    onFault: (error) => void faults.push(error),
    ...options,
  });
  return { runtime, events, faults };
};

describe("a model in process", () => {
  test("answers commands, with their events before the answer", async () => {
    const { runtime, events } = start();
    await runtime.command({ do: "set", value: 3 });
    expect(events).toEqual([{ type: "uevent", value: 3 }]);
    expect(await runtime.command({ do: "value" })).toBe(3);
    await runtime.stop();
  });

  test("rejects a command with the Errno that the model threw", async () => {
    const { runtime } = start();
    await expect(runtime.command({ do: "nonsense" })).rejects.toEqual(new Errno("EINVAL"));
    await runtime.stop();
  });

  test("fires timers of a manual clock only when it is told the time", async () => {
    const ticks: number[] = [];
    const { runtime } = start({}, () => ({ ...idle, tick: (nowMs) => void ticks.push(nowMs), nextTimerMs: 5 }));
    await runtime.tick(7);
    expect(ticks).toEqual([7]);
    await runtime.stop();
  });

  test("fires timers of the real clock by itself", async () => {
    await new Promise<void>((resolve) => {
      let dueMs: number | undefined = 20;
      const { runtime } = start({ clock: "real" }, () => ({
        ...idle,
        get nextTimerMs() {
          return dueMs;
        },
        tick(nowMs) {
          if (dueMs === undefined || nowMs < dueMs) return;
          dueMs = undefined;
          void runtime.stop().then(resolve);
        },
      }));
    });
  });

  test("answers when the work that a command queued is done, and lets the event loop go on meanwhile", async () => {
    let workLeft = 0;
    const command = (): string => {
      workLeft = 5;
      return "queued";
    };
    const { runtime } = start({}, () => ({ ...idle, command, work: () => --workLeft > 0, hasWorkOf: () => workLeft > 0 }));
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    expect(await runtime.command({})).toBe("queued");
    clearInterval(counter);
    expect(workLeft).toBe(0);
    await runtime.stop();
  });

  test("answers a command whose model waits when the wait settles, others before it", async () => {
    const wait = new Wait<string>();
    const { runtime } = start({}, () => ({ ...idle, command: (request) => (request === "wait" ? wait : "at once") }));
    const late = runtime.command("wait");
    expect(await runtime.command("other")).toBe("at once");
    wait.complete(() => "late");
    expect(await late).toBe("late");
    await runtime.stop();
  });

  test("reports a bug in a timer or in queued work and goes on", async () => {
    const { runtime, faults } = start({}, () => ({
      ...idle,
      tick: () => {
        throw new TypeError("in a timer");
      },
      work: () => {
        throw new TypeError("in work");
      },
    }));
    faults.length = 0;
    await runtime.tick(1);
    expect(faults.map(({ message }) => message)).toEqual(["in a timer", "in work"]);
    await runtime.stop();
  });

  test("rejects what is asked after its end", async () => {
    const { runtime } = start();
    await runtime.stop();
    await expect(runtime.command({ do: "value" })).rejects.toThrow("the runtime was stopped");
    expect(await runtime.ended).toBeUndefined();
  });
});

const idle = {
  ...createModel({}, () => {}),
  root: createModel({}, () => {}).root,
  nextTimerMs: undefined,
  tick: () => {},
  beginInput: () => {},
  work: () => false,
  hasWorkOf: () => false,
  command: () => undefined,
};
