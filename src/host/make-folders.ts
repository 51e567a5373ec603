import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "./control-protocol.ts";
import { systemErrorText } from "./system-error-text.ts";

/**
 * Makes a folder that its owner alone can enter, and what is missing above it. Refusal: which one cannot be made, and why. One after the
 * other: in a file system that answers ENOENT to mkdir(2), such as /proc, Node's recursive way never ends.
 */
export function makeFolders(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another host that starts was faster.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new Refusal(
      `${path} cannot be made: ${systemErrorText(error)}; set ADJUNCT_RUN_DIR and ADJUNCT_STATE_DIR to folders of your own`,
    );
  }
}
