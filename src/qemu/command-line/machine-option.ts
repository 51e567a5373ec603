import { defaultMachineType, type MachineType, machineType, machineTypeName } from "../objects/machine-types.ts";
import { classProperties } from "../objects/qom-types.ts";
import { QemuError } from "../qemu-error.ts";

/** What all -machine together say. */
export interface MachineChoice {
  readonly type: MachineType;
  readonly accelerators: readonly string[];
}

export type Accelerator = "kvm" | "tcg";

/** Those that -machine reads itself, besides the machine's own properties. */
const readHere = new Set(["type", "accel", "kernel-irqchip", "memory-backend"]);

/** QemuError. */
export function machineChoice(values: ReadonlyMap<string, string>): MachineChoice {
  const name = values.get("type");
  const type = name === undefined ? defaultMachineType : machineType(name);
  if (!type) throw new QemuError(`unsupported machine type: "${name}"`, "GenericError", "Use -machine help to list supported machines");
  const typeName = machineTypeName(type.name);
  const known = new Set(classProperties(typeName).map((property) => property.name));
  for (const key of values.keys()) {
    const [head = ""] = key.replaceAll("_", "-").split(".");
    if (!readHere.has(head) && !known.has(head)) throw new QemuError(`Property '${typeName}.${key}' not found`);
  }
  return { type, accelerators: values.get("accel")?.split(":") ?? [] };
}

/** The first accelerator that there is. QemuError. */
export function chosenAccelerator(names: readonly string[], report: (line: string) => void): Accelerator {
  if (names.length === 0) return "kvm";
  const found = names.findIndex((name) => name === "kvm" || name === "tcg");
  const unknown = found < 0 ? names : names.slice(0, found);
  if (found < 0) {
    for (const name of unknown.slice(0, -1)) report(`invalid accelerator ${name}`);
    throw new QemuError(`invalid accelerator ${unknown.at(-1)}`);
  }
  for (const name of unknown) report(`invalid accelerator ${name}`);
  const chosen = names[found] as Accelerator;
  if (unknown.length > 0) report(`falling back to ${chosen === "kvm" ? "KVM" : chosen}`);
  return chosen;
}
