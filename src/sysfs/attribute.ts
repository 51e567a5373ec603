import type { Wait } from "./wait.ts";

/**
 * One file of a device class, as data. Texts are one character a byte (latin1).
 * `open`, `show` and `store` throw Errno; anything else thrown is a bug of the model.
 */
export interface Attribute<Owner> {
  readonly name: string;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  /**
   * `constant`: every text of one owner has the same length and changes only with a `changed` notice,
   * so a read-only one may be cached by the kernel. `varying`: asked anew at every open.
   */
  readonly length: "constant" | "varying";
  /** Throws what open(2) fails with. */
  readonly open?: (owner: Owner) => void;
  readonly show?: (owner: Owner) => string | Wait<string>;
  /** `text` ends before its first NUL, as a C string does; `size` is the count of bytes written. */
  readonly store?: (owner: Owner, text: string, size: number) => void | Wait<void>;
}

/** The attributes of a device class, by name, in the order they were declared. */
export type AttributeTable<Owner> = ReadonlyMap<string, Attribute<Owner>>;

export function attributeTable<Owner>(...attributes: readonly (Attribute<Owner> | false)[]): AttributeTable<Owner> {
  return new Map(attributes.filter((attribute) => attribute !== false).map((attribute) => [attribute.name, attribute]));
}

/** A read-only attribute whose text always has the same length. */
export function constant<Owner>(name: string, show: (owner: Owner) => string, mode = 0o444): Attribute<Owner> {
  return { name, mode, length: "constant", show };
}

/** A read-only attribute. */
export function readOnly<Owner>(name: string, show: (owner: Owner) => string | Wait<string>, mode = 0o444): Attribute<Owner> {
  return { name, mode, length: "varying", show };
}

export function readWrite<Owner>(
  name: string,
  show: (owner: Owner) => string | Wait<string>,
  store: (owner: Owner, text: string, size: number) => void | Wait<void>,
  mode = 0o644,
): Attribute<Owner> {
  return { name, mode, length: "varying", show, store };
}

export function writeOnly<Owner>(
  name: string,
  store: (owner: Owner, text: string, size: number) => void | Wait<void>,
  mode = 0o200,
): Attribute<Owner> {
  return { name, mode, length: "varying", store };
}
