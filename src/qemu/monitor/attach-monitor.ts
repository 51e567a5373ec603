import type { Chardev } from "../chardev/chardev.ts";
import type { Emulator } from "../emulator.ts";
import { QemuError } from "../qemu-error.ts";
import { HmpSession } from "./hmp/hmp-session.ts";
import { monitorStateOf } from "./monitor-state.ts";
import { QmpSession } from "./qmp/qmp-session.ts";

export interface MonitorOptions {
  /** `readline` is for people (HMP), `control` for programs (QMP). */
  readonly mode: "readline" | "control";
  readonly pretty: boolean;
}

/** Puts a monitor of the emulator on a character device; the result takes it off. QemuError as of -mon. */
export function attachMonitor(emulator: Emulator, chardev: Chardev, { mode, pretty }: MonitorOptions): () => void {
  if (mode === "readline" && pretty) throw new QemuError("'pretty' is not compatible with HMP monitors");
  if (chardev.hasFrontend) throw new QemuError(`Device '${chardev.id}' is in use`);
  const state = monitorStateOf(emulator);
  state.chardevs.set(chardev.id, chardev);
  const context = { emulator, state };
  if (mode === "readline") {
    chardev.attach(new HmpSession(chardev, context));
    return () => chardev.detach();
  }
  const session = new QmpSession(chardev, context, { isPretty: pretty });
  const forget = state.onEvent((event) => session.event(event));
  chardev.attach(session);
  return () => {
    forget();
    chardev.detach();
  };
}
