import { readFileSync } from "node:fs";

/** One line of /proc/self/mountinfo. */
export interface MountEntry {
  readonly mountPoint: string;
  /** Minor number of the device: for FUSE also the name of the connection in fusectl. */
  readonly minor: number;
  readonly type: string;
  readonly source: string;
}

/** What is mounted at `mountPoint` in this mount namespace, the topmost last. Reads the table only, never the mount. */
export function mountsAt(mountPoint: string, table = readFileSync("/proc/self/mountinfo", "utf8")): MountEntry[] {
  return parseMountTable(table).filter((entry) => entry.mountPoint === mountPoint);
}

/** Lines that are not understood are left out. */
export function parseMountTable(table: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of table.split("\n")) {
    const match = /^\d+ \d+ \d+:(\d+) \S+ (\S+) .* - (\S+) (\S*) /.exec(line);
    if (!match) continue;
    const [, minor = "", mountPoint = "", type = "", source = ""] = match;
    entries.push({ minor: Number(minor), mountPoint: decodeOctal(mountPoint), type, source: decodeOctal(source) });
  }
  return entries;
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
const decodeOctal = (text: string): string => {
  const bytes = Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(bytes, "latin1").toString("utf8");
};
