/**
 * JSON as QEMU's objects hold it. Integers stay apart from doubles, as 1.0 is refused where an integer is wanted; an integer beyond 2^53 is
 * a bigint. Objects have no prototype: any name is a member like every other.
 */
export type JsonValue = null | boolean | string | number | bigint | JsonDouble | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** A number that was written with a fraction or an exponent, or that fits no 64-bit integer. */
export class JsonDouble {
  constructor(readonly value: number) {}
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonDouble);
}
