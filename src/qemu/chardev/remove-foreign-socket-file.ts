import { unlinkSync } from "node:fs";
import { QemuError } from "../qemu-error.ts";
import { systemErrorText } from "./system-error-text.ts";

/** QEMU takes whatever has the name away before it listens, a socket that another program listens on too. QemuError. */
export function removeForeignSocketFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // With these bind(2) says what is wrong.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return;
    throw new QemuError(`Failed to unlink socket ${path}: ${systemErrorText(error)}`);
  }
}
