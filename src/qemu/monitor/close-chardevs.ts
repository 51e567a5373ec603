import type { Emulator } from "../emulator.ts";
import { monitorStateOf } from "./monitor-state.ts";

/** Of an emulator that ends: resolves when what was answered is on its way and every socket's file is gone. */
export async function closeChardevs(emulator: Emulator): Promise<void> {
  const { chardevs } = monitorStateOf(emulator);
  await Promise.all([...chardevs.values()].map((chardev) => chardev.close()));
  chardevs.clear();
}
