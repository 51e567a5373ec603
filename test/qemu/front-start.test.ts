import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { frontProgram } from "./front-program.ts";

let folder: string;
let front: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "front-"));
  front = frontProgram(folder);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves when the program has ended and nobody holds its output any more. */
async function run(...words: string[]): Promise<Outcome> {
  try {
    return { status: 0, ...(await promisify(execFile)(front, words)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

/** Resolves when the file is gone. */
async function gone(path: string): Promise<void> {
  const watcher = watch(folder);
  const changes = once(watcher, "close");
  watcher.on("change", () => existsSync(path) || watcher.close());
  if (!existsSync(path)) watcher.close();
  await changes;
}

const empty = ["-machine", "none", "-nodefaults", "-S"];

describe("the front outside of any host", () => {
  test("says which QEMU it is", async () => {
    expect(await run("--version")).toEqual({ status: 0, stdout: "QEMU emulator version 10.2.2 (Adjunct)\n", stderr: "" });
  });

  test.each([
    [["-foo"], "qemu-system-s390x: -foo: invalid option\n"],
    [["-device"], "qemu-system-s390x: -device: requires an argument\n"],
    [[...empty, "-device", "vfio-ap"], "qemu-system-s390x: -device vfio-ap: No 'ap-bus' bus found for device 'vfio-ap'\n"],
    [
      ["-pidfile", "/nosuch/x", ...empty],
      "qemu-system-s390x: cannot create PID file: Could not create '/nosuch/x': No such file or directory\n",
    ],
    [["-D", "/nosuch/x", ...empty], "qemu-system-s390x: Error opening logfile /nosuch/x: No such file or directory\n"],
  ])("refuses %j with status 1", async (words, stderr) => {
    expect(await run(...words)).toEqual({ status: 1, stdout: "", stderr });
    expect(await run("-daemonize", ...words)).toEqual({ status: 1, stdout: "", stderr });
  });

  test.each([
    ["SIGTERM", 15],
    ["SIGINT", 2],
    ["SIGHUP", 1],
  ] as const)("ends by %s with status 0, and says so", async (signal, number) => {
    const child = spawn(process.execPath, [...mainWords(), "-monitor", "stdio", ...empty], { stdio: ["pipe", "pipe", "pipe"] });
    const said: string[] = [];
    child.stderr.on("data", (bytes) => said.push(String(bytes)));
    child.stdin.write("info name\ninfo status\n");
    await saying(child.stdout, "VM status");
    // As from a terminal, and passed on by a program that waits for the front.
    child.kill(signal);
    child.kill(signal);
    const [status] = await once(child, "close");
    expect(status).toBe(0);
    expect(said.join("")).toBe(`qemu-system-s390x: terminating on signal ${number}\n`);
  });
});

describe("-daemonize", () => {
  test("lets go of its caller's output, and keeps -pidfile until its end", async () => {
    const pidFile = join(folder, "pid");
    expect(await run(...empty, "-daemonize", "-pidfile", pidFile)).toEqual({ status: 0, stdout: "", stderr: "" });
    const pid = Number(readFileSync(pidFile, "utf8"));
    const second = await run(...empty, "-pidfile", pidFile);
    expect(second.stderr).toBe("qemu-system-s390x: cannot create PID file: Cannot lock pid file: Resource temporarily unavailable\n");
    expect(readFileSync(pidFile, "utf8")).toBe(`${pid}\n`);
    process.kill(pid);
    await gone(pidFile);
  });

  test("refuses what needs stdio, and not -nographic where nothing is on it", async () => {
    const stdio = await run(...empty, "-daemonize", "-qmp", "stdio");
    expect(stdio).toEqual({ status: 1, stdout: "", stderr: "qemu-system-s390x: -qmp stdio: cannot use stdio with -daemonize\n" });
    const pidFile = join(folder, "nographic");
    const words = ["-machine", "none", "-S", "-nographic", "-serial", "null", "-monitor", "none", "-daemonize", "-pidfile", pidFile];
    expect(await run(...words)).toEqual({ status: 0, stdout: "", stderr: "" });
    process.kill(Number(readFileSync(pidFile, "utf8")));
    await gone(pidFile);
  });
});

async function saying(stream: Readable, text: string): Promise<void> {
  let all = "";
  for await (const bytes of stream.iterator({ destroyOnReturn: false })) {
    all += bytes;
    if (all.includes(text)) return;
  }
}

/** The program without the shell in between, so that signals reach it. */
function mainWords(): string[] {
  const script = readFileSync(front, "utf8");
  const main = /'([^']*main\.js)'/.exec(script)?.[1] ?? "";
  return [main, "qemu-system-s390x", "", ""];
}
