import type { EmulatorOptions } from "./emulator-options.ts";
import type { MachineOptions } from "./objects/machine.ts";
import { QemuError } from "./qemu-error.ts";

/** Makes the virtual machine at the port, by which the host knows it; of an empty machine there is none. QemuError. */
export async function createGuest({ name, port, stock, isIncoming }: EmulatorOptions, { cpu, type }: MachineOptions): Promise<void> {
  if (type.isEmpty) return;
  const has = (feature: string): boolean => cpu?.features.has(feature) ?? false;
  const features = { ap: has("ap"), apqci: has("apqci"), apft: has("apft"), apqi: has("apqi") };
  const outcome = await port.create({ name, features, ...(stock && { kind: "real" as const }), ...(isIncoming && { isIncoming }) });
  if (outcome === "name-unusable") {
    const rule = "Letters, digits, blanks and _ . + - are, 64 of them at most, the first one no blank and no dot.";
    throw new QemuError(`guest name '${name}' cannot be that of a guest of this host`, "GenericError", rule);
  }
  if (outcome === "name-taken") {
    throw new QemuError(`guest name '${name}' is taken by another guest of this host`, "GenericError", "Choose another one with -name.");
  }
}
