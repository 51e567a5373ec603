import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Refusal } from "../control-protocol.ts";

/** Waits for its turn at what the lock file stands for; returns how to end it. The kernel ends it however the process ends. */
export function takeTurn(lock: string, noteWait: () => void): () => void {
  const descriptor = openSync(lock, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  const flock = (...words: string[]): number | null =>
    spawnSync("flock", ["--exclusive", ...words, "3"], { stdio: ["ignore", "ignore", "inherit", descriptor] }).status;
  let status = flock("--nonblock");
  if (status === 1) {
    noteWait();
    status = flock();
  }
  if (status !== 0) throw new Refusal("flock does not work here (package util-linux)");
  return () => closeSync(descriptor);
}
