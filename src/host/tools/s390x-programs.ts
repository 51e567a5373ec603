import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../package-root.ts";
import { places } from "../places.ts";

/** The real programs that a Linux of ours has on its PATH. */
export const s390xPrograms = ["lszcrypt", "chzcrypt", "zcryptctl", "chzdev", "lszdev"] as const;

/** They are looked for when they are started, so that they may be installed later. */
export function makeS390xPrograms(folder: string, toolsFolder = places().toolsFolder): void {
  const starter = join(packageRoot, "scripts/s390x-program.sh");
  for (const program of s390xPrograms) {
    const words = ["sh", starter, toolsFolder, program].map(quoted).join(" ");
    writeFileSync(join(folder, program), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
