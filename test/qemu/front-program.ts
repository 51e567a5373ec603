import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../cli/sandbox.ts";

/** Puts the front into a folder under the name that clients know, outside of any host. Returns its path. */
export function frontProgram(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "qemu-system-s390x");
  const main = join(projectRoot, "dist/cli/host-programs/main.js");
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${main}' qemu-system-s390x '' '' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Why mount namespaces cannot be had; undefined if they can. */
export function whyNoNamespaces(): string | undefined {
  try {
    execFileSync("unshare", ["-mn", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs root and mount namespaces";
  }
}
