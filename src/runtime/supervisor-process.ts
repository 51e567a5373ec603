import { closeSync, readFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { abortConnection, mountFuse, removeStaleMounts, unmount } from "../fuse/mount.ts";
import { mountsAt } from "../fuse/mount-table.ts";
import { wakeFileName } from "../fuse/wake-file.ts";

/**
 * The process that keeps a mount tidy: it makes the mount from the device it inherited (descriptor 3), holds the wake file open, and takes
 * the mount away when it is told to, when its input ends (the host is dead, however it died) or when the host has not been
 * heard of for long. It serves nothing, so whatever it does to the mount cannot block what it waits for.
 *
 *   node supervisor-process.js MOUNT-POINT SILENCE-LIMIT-MS
 *
 * Input, a word a line: `beat` | `unmount`. Output, JSON a line: `{"mounted":MINOR}`, `{"ready":true}`, `{"failed":TEXT}`, `{"unmounted":true}`.
 */
const device = 3;
const [mountPoint = "", silenceLimit = ""] = process.argv.slice(2);
const silenceLimitMs = Number(silenceLimit);
const hostPid = process.ppid;

let minor: number | undefined;
let wakeFile: FileHandle | undefined;
let lastBeatMs = performance.now();

const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
process.stdout.on("error", () => {});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"] as const) process.on(signal, () => {});

const input = createInterface({ input: process.stdin });
input.on("line", (word) => {
  lastBeatMs = performance.now();
  if (word === "unmount") void takeAway(false).then(() => say({ unmounted: true }));
});
input.on("close", () => void takeAway(true).finally(() => process.exit(0)));

setInterval(
  () => {
    if (performance.now() - lastBeatMs < silenceLimitMs || isHostStopped()) return;
    void takeAway(true).finally(() => process.exit(1));
  },
  Math.min(1000, silenceLimitMs / 4),
);

let mounting: Promise<void> = begin();

async function begin(): Promise<void> {
  try {
    await removeStaleMounts(mountPoint);
    await mountFuse(device, mountPoint);
    closeSync(device);
    minor = mountsAt(mountPoint).at(-1)?.minor;
    say({ mounted: minor });
  } catch (error) {
    say({ failed: error instanceof Error ? error.message : String(error) });
    mounting = Promise.resolve();
    process.exitCode = 1;
    return;
  }
  // Answered by the host once it serves: not to be waited for before the mount can be taken away again.
  void open(join(mountPoint, wakeFileName), "r").then(
    (file) => {
      wakeFile = file;
      say({ ready: true });
    },
    (error: Error) => say({ failed: `the mount does not answer: ${error.message}` }),
  );
}

/** The wake file stays open after an unmount in good order: the host still has to be woken to end. */
async function takeAway(isForced: boolean): Promise<void> {
  await mounting;
  if (minor === undefined) return;
  const isOurs = mountsAt(mountPoint).some((entry) => entry.minor === minor);
  if (isForced) {
    await abortConnection(minor);
    void wakeFile?.close();
    wakeFile = undefined;
  }
  if (isOurs) await unmount(mountPoint);
}

/** Stopped by a signal or a debugger: then its silence means nothing. */
function isHostStopped(): boolean {
  try {
    const state = readFileSync(`/proc/${hostPid}/stat`, "latin1").replace(/^.*\) /s, "")[0];
    return state === "T" || state === "t";
  } catch {
    return false;
  }
}
