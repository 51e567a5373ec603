/** Offsets of the fields of a C structure and its size, from one table of names and widths in bytes, in order. Padding is a field. */
export interface Layout<Name extends string> {
  readonly at: Readonly<Record<Name, number>>;
  readonly bytes: number;
}

export function layout<Name extends string>(fields: Readonly<Record<Name, number>>): Layout<Name> {
  const at = {} as Record<Name, number>;
  let bytes = 0;
  for (const name of Object.keys(fields) as Name[]) {
    at[name] = bytes;
    bytes += fields[name];
  }
  return { at, bytes };
}
