import type { Chardev } from "../chardev/chardev.ts";
import type { Emulator } from "../emulator.ts";
import { monitorStateOf } from "./monitor-state.ts";

/** Makes a character device known to query-chardev. A monitor's own is known by itself. */
export function registerChardev(emulator: Emulator, chardev: Chardev): void {
  monitorStateOf(emulator).chardevs.set(chardev.id, chardev);
}
