import * as v from "valibot";
import type { Job } from "../linux/time/work-queue.ts";
import { DestinationFile } from "../linux/vfio-ap/migration/destination-file.ts";
import { setDeviceState } from "../linux/vfio-ap/migration/device-migration.ts";
import { SourceFile } from "../linux/vfio-ap/migration/source-file.ts";
import { type DeviceState, deviceStates } from "../qemu/guest-port.ts";
import { fail } from "../sysfs/errno.ts";
import type { Wait } from "../sysfs/wait.ts";
import { guestName } from "./guest-name.ts";
import type { Guest, Host } from "./host.ts";
import { restoreGuest, saveGuest } from "./saved-guests.ts";

/**
 * What moves between hosts of a guest that this host has: the data of its vfio-ap device, and a model guest's Linux. Bytes are base64.
 */
/** Of data in one command. */
export const maxPieceBytes = 32 * 1024;

const command = v.literal("guest");
const base64 = (maxBytes: number) => v.pipe(v.string(), v.base64(), v.maxLength(Math.ceil(maxBytes / 3) * 4));

export const migrationCommands = [
  v.object({ do: command, action: v.literal("device-state"), guest: guestName, state: v.picklist(deviceStates) }),
  v.object({
    do: command,
    action: v.literal("device-read"),
    guest: guestName,
    maxBytes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxPieceBytes)),
  }),
  v.object({ do: command, action: v.literal("device-write"), guest: guestName, bytes: base64(maxPieceBytes) }),
  v.object({ do: command, action: v.literal("save"), guest: guestName }),
  v.object({ do: command, action: v.literal("restore"), guest: guestName, bytes: base64(maxPieceBytes), isLast: v.boolean() }),
] as const;

export type MigrationCommand = v.InferOutput<(typeof migrationCommands)[number]>;

/** What a guest has of each; the answers are the driver's. ENODEV: no device is plugged. */
export function runMigrationCommand(host: Host, command: MigrationCommand): unknown | Wait<unknown> {
  const guest = host.guest(command.guest);
  switch (command.action) {
    case "device-state":
      return host.queue.run(setState(host, guest, command.state));
    case "device-read":
      return host.queue.run(read(guest, command.maxBytes));
    case "device-write":
      return host.queue.run(write(guest, Buffer.from(command.bytes, "base64")));
    case "save":
      return saveGuest(guest);
    case "restore":
      return restoreGuest(guest, command);
  }
}

function* setState({ linux }: Host, guest: Guest, state: DeviceState): Job<void> {
  const { vfioAp } = linux;
  if (!guest.mdev || !vfioAp) return fail("ENODEV");
  const file = yield* setDeviceState(vfioAp, guest.mdev, state);
  if (file) guest.deviceData = file;
}

/** EBADF: the data is not to be read. */
function* read({ deviceData }: Guest, maxBytes: number): Job<string> {
  if (!(deviceData instanceof SourceFile)) return fail("EBADF");
  return Buffer.from(yield* deviceData.read(maxBytes)).toString("base64");
}

/** EBADF: there is nothing to write to. */
function* write({ deviceData }: Guest, bytes: Uint8Array): Job<void> {
  if (!(deviceData instanceof DestinationFile)) return fail("EBADF");
  yield* deviceData.write(bytes);
}
