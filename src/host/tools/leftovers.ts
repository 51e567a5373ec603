import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Removes what killed installations left, by how the paths start. Whoever calls has the turn, so nobody fills them. */
export function removeLeftovers(newPrefix: string): void {
  const folder = dirname(newPrefix);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(basename(newPrefix))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
