import { Emulator, type EmulatorEvent } from "../emulator.ts";
import type { EmulatorOptions } from "../emulator-options.ts";
import type { Migration } from "../monitor/migration.ts";
import { monitorStateOf } from "../monitor/monitor-state.ts";
import { ToyGuestPort } from "../toy-guest-port.ts";

const mdev = "/sys/bus/mdev/devices/62177883-f1bb-47f0-914d-32a22e3a8804";

/** One side of a migration in a test: an emulator on a toy host, with what it said. */
export interface ToySide {
  readonly port: ToyGuestPort;
  readonly emulator: Emulator;
  readonly migration: Migration;
  readonly events: EmulatorEvent[];
  readonly lines: string[];
}

export interface ToySideOptions extends Partial<EmulatorOptions> {
  readonly port?: ToyGuestPort;
  readonly hasDevice?: boolean;
  /** -S */
  readonly isPaused?: boolean;
}

/** A running source, or with `isIncoming` a target that waits. */
export async function toySide({ hasDevice = true, isPaused = false, ...options }: ToySideOptions = {}): Promise<ToySide> {
  const port = options.port ?? new ToyGuestPort();
  port.mdevs.set(mdev, { isPlugged: true, irqs: 2, isMigratable: true });
  const [events, lines]: [EmulatorEvent[], string[]] = [[], []];
  const emulator = new Emulator({ name: "guest1", nowMs: () => 0, report: (line) => lines.push(line), ...options, port });
  const state = monitorStateOf(emulator);
  state.onEvent((event) => events.push(event));
  state.migration.capabilities.set("events", true);
  await emulator.create();
  if (hasDevice) await emulator.addDevice(new Map(Object.entries({ driver: "vfio-ap", id: "hostdev0", sysfsdev: mdev })));
  await emulator.begin({ isPaused });
  return { port, emulator, migration: state.migration, events, lines };
}

/** Events as one word each. */
export const eventWords = ({ events }: ToySide): string[] =>
  events.map(({ event, data }) =>
    event === "MIGRATION" ? String(data?.status) : event === "MIGRATION_PASS" ? `pass ${data?.pass}` : event,
  );
