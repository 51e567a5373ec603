import type { PropertyRecord } from "../devices/device-types.ts";
import { QemuError } from "../qemu-error.ts";
import { classProperties, isOfType, lineage, qomType, qomTypes } from "./qom-types.ts";

/** A member of what qom-list-types returns. */
export interface TypeInfo {
  readonly name: string;
  readonly parent?: string;
  readonly abstract?: true;
}

export function listTypes({
  implements: ancestor,
  abstract = false,
}: {
  readonly implements?: string;
  readonly abstract?: boolean;
}): TypeInfo[] {
  return qomTypes
    .filter(({ name, isAbstract }) => (abstract || !isAbstract) && (ancestor === undefined || isOfType(name, ancestor)))
    .map(({ name, parent, isAbstract }) => ({ name, ...(parent !== undefined && { parent }), ...(isAbstract && { abstract: true }) }));
}

/** qom-list-properties. QemuError. */
export function listTypeProperties(name: string): PropertyRecord[] {
  if (!qomType(name)) throw new QemuError(`Class '${name}' not found`, "DeviceNotFound");
  return classProperties(name);
}

/** device-list-properties: what -device takes for it. QemuError. */
export function listDeviceProperties(name: string): PropertyRecord[] {
  const type = qomType(name);
  if (!type) throw new QemuError(`Device '${name}' not found`, "DeviceNotFound");
  if (type.isAbstract || !isOfType(name, "device")) {
    throw new QemuError("Parameter 'typename' expects a non-abstract device type");
  }
  return lineage(name)
    .filter((step) => !generic.has(step.name))
    .reverse()
    .flatMap(({ properties = [] }) => properties);
}

/** Their properties are the object model's own. */
const generic = new Set(["object", "device"]);
