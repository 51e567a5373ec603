import type { Emulator } from "../emulator.ts";
import { QemuError } from "../qemu-error.ts";

/** What the guest's balloon leaves it: all, since a model guest has no memory that it could give. QemuError where it has no balloon. */
export function balloonBytes({ machine }: Emulator): number {
  const devices = [machine.peripheral, machine.anonymous].flatMap(({ children }) => [...children.values()]);
  if (!devices.some(({ type }) => type.startsWith("virtio-balloon-"))) {
    throw new QemuError("No balloon device has been activated", "DeviceNotActive");
  }
  return machine.options.memoryBytes;
}

/** Asks the guest for memory, which changes nothing. QemuError. */
export function askBalloon(emulator: Emulator, bytes: number): void {
  balloonBytes(emulator);
  if (!(bytes > 0)) throw new QemuError("Parameter 'target' expects a size");
}
