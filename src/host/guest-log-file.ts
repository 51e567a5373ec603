import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { GuestPlaces } from "./places.ts";

/** A guest that is started again and again would fill the disk: at this size the log begins anew, and one older file is kept, as virtlogd does. */
const maxLogBytes = 2 * 1024 * 1024;

export function writeGuestLog({ log }: GuestPlaces, line: string): void {
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(log, `${log}.0`);
  appendFileSync(log, `${line}\n`, { mode: 0o600 });
}
