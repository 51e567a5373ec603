import { fail } from "../sysfs/errno.ts";

/** What of a path comes after /sys. ENOENT for one that is elsewhere. */
export function belowSys(path: string): string {
  if (path !== "/sys" && !path.startsWith("/sys/")) return fail("ENOENT");
  return path.slice("/sys".length);
}
