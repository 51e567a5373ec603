import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkFuse } from "../fuse/check-fuse.ts";
import { javascript, run, shell, ToyProcess } from "./toy-process.ts";

const reason = checkFuse();

/** Programs that sleep in the model, and work that takes long, while others go on. */
describe.skipIf(reason !== undefined)("a mounted tree whose writes sleep", { timeout: 60_000 }, () => {
  let toy: ToyProcess;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    toy = await ToyProcess.start();
  }, 30_000);
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await toy.destroy();
  }, 30_000);

  /** A program that sleeps in a write, as the kernel says of it. */
  const sleeper = async (): Promise<ChildProcess> => {
    const child = spawn("perl", [
      "-e",
      '$SIG{INT} = sub {}; open(my $f, ">", $ARGV[0]); $| = 1; print "writing\\n"; syswrite($f, "1\\n") or print "error ", $! + 0; print "done";',
      toy.path("sleep"),
    ]);
    children.push(child);
    await once(child.stdout!, "data");
    while (!/^\S+ \(.*\) [SD]/.test((await run("cat", `/proc/${child.pid}/stat`)).stdout) || !(await isInFuse(child))) {}
    return child;
  };
  const isInFuse = async ({ pid }: ChildProcess): Promise<boolean> =>
    /request_wait_answer|fuse/.test((await run("cat", `/proc/${pid}/wchan`)).stdout);
  const output = async (child: ChildProcess): Promise<string> => {
    let text = "";
    child.stdout?.on("data", (data: Buffer) => {
      text += data.toString();
    });
    await once(child, "close");
    return text;
  };

  test("lets everybody else read and write meanwhile, and ends the sleep when its event comes", async () => {
    const child = await sleeper();
    expect((await shell('echo 5 > "$1" && cat "$2"', toy.path("value"), toy.path("hex"))).stdout).toBe("0x00000005\n");
    expect((await toy.command({ do: "value" })).answer).toBe(5);
    const ended = output(child);
    await shell('echo 1 > "$1"', toy.path("wake"));
    expect(await ended).toBe("done");
  });

  test("ends the sleep with EINTR on a signal that the program handles, and tells the model who it was", async () => {
    const child = await sleeper();
    const ended = output(child);
    toy.lines.length = 0;
    child.kill("SIGINT");
    expect(await ended).toBe("error 4done");
    expect(await toy.line((line) => "event" in line)).toEqual({ event: { type: "interrupted", command: "perl", pid: child.pid } });
  });

  test("lets a sleeping program be killed", async () => {
    const child = await sleeper();
    child.kill("SIGKILL");
    await once(child, "close");
    expect(child.signalCode).toBe("SIGKILL");
    expect((await run("cat", toy.path("decimal"))).stdout).toBe("5\n");
  });

  test("keeps two programs asleep and ends both", async () => {
    // Two writes to one file: the kernel lets the second one in after the first.
    const first = await sleeper();
    const ended = output(first);
    const command = toy.command({ do: "sleep" });
    await shell('echo 1 > "$1"', toy.path("wake"));
    expect(await ended).toBe("done");
    expect(await command).toEqual({ answer: null });
  });

  test("answers reads within 100 ms while two seconds of queued work are left, and the write that queued it when that is done", async () => {
    const worker = spawn("sh", ["-c", 'echo 2000 > "$1"', "sh", toy.path("work")]);
    children.push(worker);
    let isDone = false;
    const done = once(worker, "close").then(() => {
      isDone = true;
    });
    const reads = await javascript(
      `let longest = 0; const end = Date.now() + 1200; let count = 0;
       const file = fs.openSync(argv[0]); const buffer = Buffer.alloc(100);
       while (Date.now() < end) { const before = performance.now(); fs.readSync(file, buffer, 0, 100, 0); longest = Math.max(longest, performance.now() - before); count++; }
       console.log(JSON.stringify({ longest, count }));`,
      toy.path("decimal"),
    );
    const { longest, count } = JSON.parse(reads) as { longest: number; count: number };
    expect(isDone).toBe(false);
    expect(longest).toBeLessThan(100);
    expect(count).toBeGreaterThan(20);
    await done;
  });

  test("runs timers of the real clock by itself", async () => {
    toy.lines.length = 0;
    const before = performance.now();
    await shell('echo 300 > "$1"', toy.path("timer"));
    await toy.line(({ event }) => (event as { type?: string } | undefined)?.type === "timer");
    expect(performance.now() - before).toBeGreaterThan(290);
    expect((await run("cat", toy.path("hex"), toy.path("decimal"))).stdout).toBe("0x00000006\n6\n");
  });
});

describe.skipIf(reason !== undefined)("a mounted tree with a manual clock", { timeout: 60_000 }, () => {
  test("fires no timer by itself, and those that are due when it is told the time", async () => {
    const toy = await ToyProcess.start({ clock: "manual" });
    try {
      await shell('echo 10 > "$1"; echo 20 > "$1"', toy.path("timer"));
      await run("sleep", "0.2");
      expect((await run("cat", toy.path("decimal"))).stdout).toBe("0\n");
      await toy.command({ tick: 19 });
      expect((await run("cat", toy.path("decimal"))).stdout).toBe("1\n");
      await toy.command({ tick: 20 });
      expect((await run("cat", toy.path("decimal"))).stdout).toBe("2\n");
    } finally {
      await toy.destroy();
    }
  });

  test("lets a write return only when its awaited events were taken, a second later at most; other events hold up nothing", async () => {
    const secondsOfWrite = async (options: { awaitedEventTypes: string[]; eventDelayMs: number }): Promise<number> => {
      const toy = await ToyProcess.start({ clock: "manual", ...options });
      try {
        return Number(
          await javascript(
            "const before = performance.now(); fs.writeFileSync(argv[0], '3'); process.stdout.write(String((performance.now() - before) / 1000))",
            toy.path("value"),
          ),
        );
      } finally {
        await toy.destroy();
      }
    };
    expect(await secondsOfWrite({ awaitedEventTypes: ["uevent"], eventDelayMs: 300 })).toBeGreaterThan(0.29);
    expect(await secondsOfWrite({ awaitedEventTypes: ["log"], eventDelayMs: 5000 })).toBeLessThan(0.9);
    const limited = await secondsOfWrite({ awaitedEventTypes: ["uevent"], eventDelayMs: 60_000 });
    expect(limited).toBeGreaterThan(0.9);
    expect(limited).toBeLessThan(5);
  });
});
