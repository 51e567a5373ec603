import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host/package-root.ts";

/** Tells the child that it is the one behind -daemonize. */
const childMark = "ADJUNCT_QEMU_DAEMON";
const readyFd = 3;

export const isDaemonChild = (): boolean => process.env[childMark] !== undefined;

/**
 * Runs the program again, without a terminal and in a session of its own. Resolves when it is ready, with 0, or when it ended before,
 * with its exit status. What it writes to stderr until then is passed on.
 */
export async function runDaemonChild(words: readonly string[], controlSocket: string): Promise<number> {
  const main = join(packageRoot, "dist/cli/host-programs/main.js");
  const child = spawn(process.execPath, [main, "qemu-system-s390x", controlSocket, "", ...words], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { ...process.env, [childMark]: "1" },
  });
  child.stderr?.pipe(process.stderr, { end: false });
  const exited = new Promise<number>((resolve) => child.once("close", (status) => resolve(status ?? 1)));
  const ready = new Promise<number>((resolve) => child.stdio[readyFd]?.once("data", () => resolve(0)));
  const status = await Promise.race([ready, exited]);
  child.unref();
  child.stderr?.destroy();
  child.stdio[readyFd]?.destroy();
  return status;
}

/** Lets the parent go. Whatever is written from here on nobody reads. */
export function tellReady(): void {
  delete process.env[childMark];
  process.stderr.on("error", () => {});
  writeSync(readyFd, "ready");
  closeSync(readyFd);
}
