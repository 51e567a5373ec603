import { type ErrnoName, errnoNumbers } from "../../sysfs/errno.ts";
import { errnoText } from "../../sysfs/errno-text.ts";
import { vfioName } from "../devices/vfio-name.ts";
import type { DeviceState, MigratingDevice } from "../guest-port.ts";
import type { QomDevice } from "../objects/qom-object.ts";
import { QemuError } from "../qemu-error.ts";
import { frameTypes } from "./frame.ts";
import type { FrameConnection } from "./frame-connection.ts";

/** Reads all the data of a device that is in `stop-copy`, and sends it. QemuError. Source of texts: QEMU 10.2.2 hw/vfio/migration.c. */
export async function sendDevice(connection: FrameConnection, device: MigratingDevice, qomDevice: QomDevice): Promise<void> {
  for (;;) {
    const piece = await device.read(frameTypes.device.maxBytes);
    if (typeof piece === "string") throw new QemuError(`${nameOf(qomDevice)}: Failed to save device data: ${errnoText(piece) ?? piece}`);
    if (piece.length === 0) return connection.send("deviceEnd");
    await connection.send("device", piece);
  }
}

/** QemuError. */
export async function enterState(device: MigratingDevice, qomDevice: QomDevice, state: DeviceState): Promise<void> {
  const errno = await device.setState(state);
  if (errno === undefined) return;
  const name = state.toUpperCase().replace("-", "_");
  throw new DeviceError(errno, `${nameOf(qomDevice)}: Failed setting device state to ${name}: ${errnoText(errno) ?? errno}`);
}

/** The device does not take what came. `message` is what is told behind the errno. */
export class DeviceError extends QemuError {
  constructor(
    readonly errno: ErrnoName,
    message: string,
  ) {
    super(message);
  }
}

/** A write to the device's data file failed. */
export const loadError = (errno: ErrnoName): DeviceError =>
  new DeviceError(errno, `Failed to load vmstate version_id: 1, ret: -${errnoNumbers[errno]}`);

const nameOf = (device: QomDevice): string => vfioName(String(device.options.get("sysfsdev")));
