import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { examineMachine } from "../../src/host/machine-examination.ts";
import { isRunning, outcomeOf, printed, projectRoot, until } from "../cli/sandbox.ts";

const script = join(projectRoot, "scripts/seen-as-s390x.pl");
const seccomp = examineMachine().find(({ what }) => what === "seccomp");

const start = (shell: string) => spawn("perl", [script, "sh", "-c", shell], { stdio: ["ignore", "pipe", "pipe"] });

describe("a program that takes the machine for an s390x", () => {
  beforeEach((context) => {
    if (!seccomp?.isPresent) context.skip("this kernel's seccomp asks nobody");
  });

  test("hears so from uname, as do its children, and all else as it is", async () => {
    const { stdout } = await outcomeOf(start("uname -m; sh -c 'uname -m'; uname -srn"));
    expect(stdout).toBe(`s390x\ns390x\n${execFileSync("uname", ["-srn"], { encoding: "utf8" })}`);
  });

  test("raises the limit of locked memory, or believes that it did", async () => {
    expect(await outcomeOf(start("prlimit --memlock=1000000000000 true && prlimit --nofile=100 sh -c 'ulimit -n'"))).toEqual({
      status: 0,
      signal: null,
      stdout: "100\n",
      stderr: "",
    });
  });

  test("ends with its own status, also by a signal, or because it is not there", async () => {
    expect((await outcomeOf(start("exit 7"))).status).toBe(7);
    expect((await outcomeOf(start("kill -9 $$"))).status).toBe(137);
    expect((await outcomeOf(start("exec no-such-program"))).status).toBe(127);
    const waiting = start("trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    const ended = outcomeOf(waiting);
    await printed(waiting, /ready/);
    waiting.kill("SIGTERM");
    expect(await ended).toMatchObject({ status: 3, stdout: "ready\nasked\n" });
  });

  test("has its orphans buried", async () => {
    const child = start("sh -c 'sleep 0.1 & echo orphan $!'; while :; do sleep 0.05; done");
    const pid = Number(/orphan (\d+)/.exec(await printed(child, /orphan \d+\n/))?.[1]);
    await until(() => !isThere(pid));
    child.kill("SIGTERM");
    await outcomeOf(child);
  });

  test("ends with the script", async () => {
    const child = start("echo $$; while :; do sleep 0.05; done");
    const pid = Number(await printed(child, /\d+\n/));
    child.kill("SIGKILL");
    await until(() => !isRunning(pid));
  });
});

/** A zombie is there. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
