import { existsSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { launcher } from "../host/package-root.ts";

/** How to call this command line from here: `adjunct` where PATH finds it, else its path. */
export function invokedAs(): string {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    const candidate = join(folder, "adjunct");
    if (folder !== "" && existsSync(candidate)) return realpathSync(candidate) === launcher ? "adjunct" : pathFromHere();
  }
  return pathFromHere();
}

function pathFromHere(): string {
  const path = relative(process.cwd(), launcher);
  return path.startsWith("..") ? launcher : path;
}
