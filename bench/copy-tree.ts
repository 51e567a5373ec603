import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A tmpfs everywhere. */
const memory = "/dev/shm";

/** A new folder in memory, or below `folder` where there is none. A host cannot be there: its own /dev covers it. */
export const memoryFolder = (folder: string): string => mkdtempSync(join(existsSync(memory) ? memory : folder, "adjunct-copy-"));

/** Folders, readable files and links, which are relative and stay so. A file whose read is refused is not there in the copy. */
export function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) copyTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else copyFile(source, target);
  }
}

function copyFile(source: string, target: string): void {
  if ((statSync(source).mode & 0o444) === 0) return;
  try {
    writeFileSync(target, readFileSync(source));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
  }
}
