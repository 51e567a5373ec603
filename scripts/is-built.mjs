import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Whether dist holds what src says. A package without src is taken as it is. */
export function isBuilt(root) {
  if (!existsSync(join(root, "dist/cli/main.js"))) return false;
  const source = join(root, "src");
  if (!existsSync(source)) return true;
  const stamp = join(root, "dist/.built");
  return existsSync(stamp) && statSync(stamp).mtimeMs > newestSource(source);
}

function newestSource(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) time = Math.max(time, newestSource(path));
    else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts")) time = Math.max(time, statSync(path).mtimeMs);
  }
  return time;
}
