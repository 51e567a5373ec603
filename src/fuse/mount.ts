import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountsAt } from "./mount-table.ts";

/**
 * Mounting, unmounting and aborting, by the programs of util-linux. For a process that does not serve the mount: each step here may
 * wait for the server's answer.
 */
export const mountType = "fuse.adjunct";
const mountSource = "adjunct";
const probeLimitMs = 5000;

/** Mounts the connection of `device`, an open /dev/fuse; throws what mount(8) says. */
export async function mountFuse(device: number, mountPoint: string): Promise<void> {
  const owner = `user_id=${process.getuid?.() ?? 0},group_id=${process.getgid?.() ?? 0}`;
  const options = `fd=3,rootmode=40755,${owner},allow_other,default_permissions,nosuid,nodev,noexec`;
  const result = await run("mount", ["-i", "-n", "-t", mountType, "-o", options, mountSource, mountPoint], device);
  if (result.status !== 0) throw new Error(`mounting ${mountPoint} failed: ${result.text}`);
}

/** Takes the topmost mount away at once, also while files in it are open. */
export async function unmount(mountPoint: string): Promise<void> {
  const first = await run("umount", ["-i", "-n", "-c", "-l", mountPoint]);
  if (first.status === 0 || mountsAt(mountPoint).length === 0) return;
  const second = await run("umount", ["-l", mountPoint]);
  if (second.status !== 0 && mountsAt(mountPoint).length > 0) throw new Error(`unmounting ${mountPoint} failed: ${second.text}`);
}

/**
 * Removes mounts at `mountPoint` whose server is gone, as one that was killed leaves them. Throws if one there is alive, or is
 * no FUSE mount: that is somebody else's.
 */
export async function removeStaleMounts(mountPoint: string): Promise<void> {
  for (let top = mountsAt(mountPoint).at(-1); top; top = mountsAt(mountPoint).at(-1)) {
    if (!/^fuse(\.|$)/.test(top.type)) throw new Error(`${mountPoint} has a ${top.type} mounted already`);
    if (await answers(mountPoint)) throw new Error(`${mountPoint} is served by another process already`);
    await unmount(mountPoint);
  }
}

/** Ends a connection whatever its server does; false where fusectl is not to be had. */
export async function abortConnection(minor: number): Promise<boolean> {
  if (requestAbort("/sys/fs/fuse/connections", minor)) return true;
  const folder = mkdtempSync(join(tmpdir(), "adjunct-fusectl-"));
  try {
    if ((await run("mount", ["-i", "-n", "-t", "fusectl", "none", folder])).status !== 0) return false;
    const isAborted = requestAbort(folder, minor);
    await run("umount", ["-i", "-n", folder]);
    return isAborted;
  } finally {
    rmdirSync(folder);
  }
}

const requestAbort = (folder: string, minor: number): boolean => {
  try {
    writeFileSync(join(folder, String(minor), "abort"), "1", { flag: "r+" });
    return true;
  } catch {
    return false;
  }
};

/** Whether a server answers, or at least holds the request: a dead one gives ENOTCONN. The kernel never answers a statfs by itself. */
const answers = async (mountPoint: string): Promise<boolean> => {
  const result = await run("stat", ["-f", "-c", "%s", mountPoint], undefined, probeLimitMs);
  return result.status === 0 || result.status === undefined;
};

interface Result {
  /** Undefined when it did not end in time. */
  readonly status: number | undefined;
  readonly text: string;
}

const run = (program: string, parameters: readonly string[], device?: number, limitMs?: number): Promise<Result> =>
  new Promise((resolve) => {
    const child: ChildProcess = spawn(program, parameters, {
      cwd: "/",
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe", ...(device === undefined ? [] : [device])],
    });
    let text = "";
    child.stderr?.on("data", (data: Buffer) => {
      text += data.toString();
    });
    const end = (status: number | undefined): void => {
      clearTimeout(timer);
      resolve({ status, text: text.trim() });
    };
    const timer = limitMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL") && end(undefined), limitMs);
    child.on("error", (error) => {
      text += error.message;
      end(127);
    });
    child.on("close", (code) => end(code ?? 1));
  });
