import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";

/**
 * One process a host: flock(2) on a file beside its folder. The kernel lets go of it when the process ends, however it ends, so a
 * lock that can be had means that whatever lies in the folder is left over. The file itself is never removed, for two
 * processes could then lock two files of one name.
 */
export interface HostLock {
  release(): void;
}

/** Takes the lock; undefined while another process has it. */
export function takeHostLock(path: string): HostLock | undefined {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  // flock(1) locks the open file it inherits, which is ours: the lock outlives it.
  const { status, error } = spawnSync("flock", ["--exclusive", "--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  if (status === 0) return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  if (error || status !== 1) throw new Error(`flock does not work here: ${error?.message ?? `exit status ${status}`} (package util-linux)`);
  return undefined;
}
