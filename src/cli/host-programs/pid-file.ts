import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { QemuError } from "../../qemu/qemu-error.ts";
import { errnoText } from "../../sysfs/errno-text.ts";

/**
 * Writes -pidfile; the result removes it. QEMU holds a lock on it as long as it lives, which Node cannot: here the process that the file
 * names holds it. QemuError.
 */
export function writePidFile(path: string): () => void {
  const holder = holderOf(path);
  if (holder !== undefined && holder !== process.pid)
    throw new QemuError("cannot create PID file: Cannot lock pid file: Resource temporarily unavailable");
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new QemuError(`cannot create PID file: Could not create '${path}': ${errnoText(code) ?? message}`);
  }
  return () => rmSync(path, { force: true });
}

/** The emulator that runs and that the file names. */
function holderOf(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("qemu-system-s390x") ? pid : undefined;
  } catch {
    return undefined;
  }
}
