import { QemuError } from "../../qemu-error.ts";
import { isJsonObject, JsonDouble, type JsonObject, type JsonValue } from "../json/json-value.ts";
import { membersInOrder } from "../json/member-order.ts";
import type { BuiltinName, Members, ObjectType, SchemaType, UnionType } from "./schema-type.ts";

/**
 * The arguments of a command as plain values, or a QemuError that names the first that is wrong: members are looked at in the schema's
 * order, what is unexpected comes last. Texts: QEMU 10.2.2 qapi/qobject-input-visitor.c.
 */
export function checkArguments(type: ObjectType | UnionType, value: JsonObject): Record<string, unknown> {
  return type.kind === "union" ? checkUnion(type, value, "") : checkObject(type, value, "");
}

/** The value without the JSON reader's own types. */
export function plainValue(value: JsonValue): unknown {
  if (value instanceof JsonDouble) return value.value;
  if (Array.isArray(value)) return value.map((element: JsonValue) => plainValue(element));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainValue(member)]));
}

function checkValue(type: SchemaType, value: JsonValue, place: string, name: string): unknown {
  const full = below(place, name);
  switch (type.kind) {
    case "builtin":
      return checkBuiltin(type.name, value, full);
    case "enum":
      if (typeof value !== "string") throw wrongType(full, "string");
      // QEMU leaves out here where the parameter is.
      if (!type.values.includes(value)) throw new QemuError(`Parameter '${name}' does not accept value '${value}'`);
      return value;
    case "list":
      if (!Array.isArray(value)) throw wrongType(full, "array");
      return value.map((element: JsonValue, index) => checkValue(type.element, element, "", `${full}[${index}]`));
    case "object":
      if (!isJsonObject(value)) throw wrongType(full, "object");
      return checkObject(type, value, full);
    case "union":
      if (!isJsonObject(value)) throw wrongType(full, "object");
      return checkUnion(type, value, full);
  }
}

function checkObject(type: ObjectType, value: JsonObject, place: string): Record<string, unknown> {
  return type.isOpen ? (plainValue(value) as Record<string, unknown>) : checkMembers(type.members, value, place);
}

function checkMembers(members: Members, value: JsonObject, place: string): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(members)) {
    const type = member.kind === "optional" ? member.type : member;
    const given = value[name];
    if (given === undefined) {
      if (member.kind !== "optional") throw new QemuError(`Parameter '${below(place, name)}' is missing`);
    } else {
      checked[name] = checkValue(type, given, place, name);
    }
  }
  const [unexpected] = membersInOrder(Object.entries(value)).find(([name]) => !Object.hasOwn(members, name)) ?? [];
  if (unexpected !== undefined) throw new QemuError(`Parameter '${below(place, unexpected)}' is unexpected`);
  return checked;
}

function checkUnion({ tag, base, variants }: UnionType, value: JsonObject, place: string): Record<string, unknown> {
  const variant = value[tag];
  if (variant === undefined) throw new QemuError(`Parameter '${below(place, tag)}' is missing`);
  if (typeof variant !== "string") throw wrongType(below(place, tag), "string");
  const chosen = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
  if (!chosen) throw new QemuError(`Parameter '${tag}' does not accept value '${variant}'`);
  return checkMembers({ [tag]: { kind: "enum", values: [variant] }, ...base, ...chosen.members }, value, place);
}

function checkBuiltin(name: BuiltinName, value: JsonValue, place: string): unknown {
  const type = jsonTypeOf(value);
  switch (name) {
    case "any":
      return plainValue(value);
    case "int":
      if (type !== "int") throw wrongType(place, "integer");
      return Number(value);
    case "uint64":
      if (type !== "int") throw new QemuError(`Parameter '${place}' expects uint64`);
      return Number(value);
    default:
      if (type !== name) throw wrongType(place, name === "str" ? "string" : "boolean");
      return value;
  }
}

function jsonTypeOf(value: JsonValue): BuiltinName | undefined {
  switch (typeof value) {
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "number":
    case "bigint":
      return "int";
  }
  return undefined;
}

const wrongType = (place: string, expected: string): QemuError =>
  new QemuError(`Invalid parameter type for '${place}', expected: ${expected}`);

const below = (place: string, name: string): string => (place === "" ? name : `${place}.${name}`);
