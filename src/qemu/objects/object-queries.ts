import { QemuError } from "../qemu-error.ts";
import { QomBus, QomDevice, type QomObject } from "./qom-object.ts";
import { classProperties } from "./qom-types.ts";

/** A member of what qom-list returns. */
export interface ObjectProperty {
  readonly name: string;
  readonly type: string;
}

/** The object at a path: absolute, or the end of exactly one object's path. QemuError. */
export function findObject(root: QomObject, path: string): QomObject {
  const names = path.split("/").filter((name) => name !== "");
  if (path.startsWith("/") || names.length === 0) return descend(root, names) ?? notFound(path);
  const found = [...everyObject(root)].flatMap((object) => descend(object, names) ?? []);
  if (found.length > 1) throw new QemuError(`Path '${path}' is ambiguous`);
  return found[0] ?? notFound(path);
}

/** qom-list. QemuError. */
export function listObject(root: QomObject, path: string): ObjectProperty[] {
  const object = findObject(root, path);
  return [
    ...classProperties(object.type).map(({ name, type }) => ({ name, type })),
    ...[...object.children].map(([name, child]) => ({ name, type: `child<${child.type}>` })),
  ];
}

/** qom-get. QemuError. */
export function getProperty(root: QomObject, path: string, name: string): unknown {
  const object = findObject(root, path);
  const child = object.children.get(name);
  if (child) return child.path;
  const type = propertyType(object, name);
  if (name === "type") return object.type;
  if (object.values.has(name)) return object.values.get(name);
  return ownProperty(object, name) ?? defaultOf(type);
}

/** qom-set. QemuError. */
export function setProperty(root: QomObject, path: string, name: string, value: unknown): void {
  const object = findObject(root, path);
  if (object.children.has(name)) throw new QemuError(`Property '${object.type}.${name}' is not writable`);
  const type = propertyType(object, name);
  if (name === "type" || readOnly.has(name)) throw new QemuError(`Property '${object.type}.${name}' is not writable`);
  const expected = jsonTypes[type] ?? "string";
  if (typeof value !== expected) throw new QemuError(`Invalid parameter type for '${name}', expected: ${expected}`);
  if (object instanceof QomDevice) throw new QemuError(afterRealize(object, name));
  object.values.set(name, value);
}

const readOnly = new Set(["hotplugged", "hotpluggable"]);
const jsonTypes: Readonly<Record<string, string>> = { bool: "boolean" };

function afterRealize({ id, type }: QomDevice, name: string): string {
  const whose = id === undefined ? `anonymous device (type '${type}')` : `device '${id}' (type '${type}')`;
  return `Attempt to set property '${name}' on ${whose} after it was realized`;
}

function propertyType({ type }: QomObject, name: string): string {
  const record = classProperties(type).find((property) => property.name === name);
  if (!record) throw new QemuError(`Property '${type}.${name}' not found`);
  return record.type;
}

function ownProperty(object: QomObject, name: string): unknown {
  if (object instanceof QomDevice) {
    if (name === "parent_bus") return object.bus?.path ?? "";
    if (object.options.has(name)) return object.options.get(name);
  }
  return name === "realized" && (object instanceof QomDevice || object instanceof QomBus) ? true : undefined;
}

function defaultOf(type: string): unknown {
  if (type === "bool") return false;
  return type.startsWith("uint") || type.startsWith("int") ? 0 : "";
}

function descend(object: QomObject, names: readonly string[]): QomObject | undefined {
  return names.reduce<QomObject | undefined>((at, name) => at?.children.get(name), object);
}

function* everyObject(object: QomObject): Generator<QomObject> {
  yield object;
  for (const child of object.children.values()) yield* everyObject(child);
}

function notFound(path: string): never {
  throw new QemuError(`Device '${path}' not found`, "DeviceNotFound");
}
