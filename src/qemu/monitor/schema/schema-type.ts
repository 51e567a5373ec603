/**
 * The types of QMP's arguments and answers. One value of these checks what comes in, types what a command gets, and is what
 * query-qmp-schema tells, so the three can never disagree. Names of kinds: QEMU's qapi/introspect.json.
 */
export type SchemaType = BuiltinType | EnumType | ListType | ObjectType | UnionType;

export interface BuiltinType<Name extends BuiltinName = BuiltinName> {
  readonly kind: "builtin";
  readonly name: Name;
}

export type BuiltinName = "str" | "int" | "uint64" | "bool" | "any";

export interface EnumType<Value extends string = string> {
  readonly kind: "enum";
  readonly values: readonly Value[];
}

export interface ListType<Element extends SchemaType = SchemaType> {
  readonly kind: "list";
  readonly element: Element;
}

export interface ObjectType<M extends Members = Members> {
  readonly kind: "object";
  readonly members: M;
  /** Not checked at all: what takes it looks itself. */
  readonly isOpen?: boolean;
}

export type Members = Readonly<Record<string, SchemaType | OptionalType>>;

export interface OptionalType<T extends SchemaType = SchemaType> {
  readonly kind: "optional";
  readonly type: T;
}

/** An object whose member `tag` says which further members it has. */
export interface UnionType {
  readonly kind: "union";
  readonly tag: string;
  readonly base: Members;
  readonly variants: Readonly<Record<string, ObjectType>>;
}

const builtin = <Name extends BuiltinName>(name: Name): BuiltinType<Name> => ({ kind: "builtin", name });
export const str = builtin("str");
export const int = builtin("int");
export const uint64 = builtin("uint64");
export const bool = builtin("bool");
export const any = builtin("any");

export const oneOf = <const Value extends string>(...values: readonly Value[]): EnumType<Value> => ({ kind: "enum", values });
export const listOf = <Element extends SchemaType>(element: Element): ListType<Element> => ({ kind: "list", element });
export const object = <M extends Members>(members: M): ObjectType<M> => ({ kind: "object", members });
export const optional = <T extends SchemaType>(type: T): OptionalType<T> => ({ kind: "optional", type });

/** What a command gets for a type. Unions are looked at by the command itself. */
export type ValueOf<T> =
  T extends BuiltinType<infer Name>
    ? BuiltinValues[Name]
    : T extends EnumType<infer Value>
      ? Value
      : T extends ListType<infer Element>
        ? readonly ValueOf<Element>[]
        : T extends ObjectType<infer M>
          ? ValuesOf<M>
          : T extends UnionType
            ? Readonly<Record<string, unknown>>
            : unknown;

export type ValuesOf<M> = { readonly [Name in keyof M]: M[Name] extends OptionalType<infer T> ? ValueOf<T> | undefined : ValueOf<M[Name]> };

interface BuiltinValues {
  readonly str: string;
  readonly int: number;
  readonly uint64: number;
  readonly bool: boolean;
  readonly any: unknown;
}
