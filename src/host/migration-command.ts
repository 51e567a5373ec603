import * as v from "valibot";
import { deviceStates } from "../qemu/guest-port.ts";
import { fail } from "../sysfs/errno.ts";
import type { Wait } from "../sysfs/wait.ts";
import { guestName } from "./guest-name.ts";
import type { Host } from "./host.ts";

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

/** ENOTTY: this kernel cannot migrate. */
export function runMigrationCommand(host: Host, command: MigrationCommand): unknown | Wait<unknown> {
  host.guest(command.guest);
  return fail("ENOTTY");
}
