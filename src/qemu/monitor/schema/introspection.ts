import type { Members, ObjectType, SchemaType, UnionType } from "./schema-type.ts";

/** What query-qmp-schema says of a command. */
export interface IntrospectedCommand {
  readonly arguments: ObjectType | UnionType;
  readonly returns: SchemaType;
  readonly features: readonly string[];
  readonly allowsOob: boolean;
}

/**
 * The answer of query-qmp-schema: commands and events, then every type that they lead to. Types have numbers for names, as QEMU hides its
 * own; "0" is the object without members.
 */
export function introspect(
  commands: Readonly<Record<string, IntrospectedCommand>>,
  events: Readonly<Record<string, ObjectType>>,
): Readonly<Record<string, unknown>>[] {
  const types = new TypeNames();
  const entries: Readonly<Record<string, unknown>>[] = [];
  for (const [name, command] of Object.entries(commands)) {
    entries.push({
      name,
      "meta-type": "command",
      "arg-type": types.nameOf(command.arguments),
      "ret-type": types.nameOf(command.returns),
      ...(command.allowsOob && { "allow-oob": true }),
      ...(command.features.length > 0 && { features: command.features }),
    });
  }
  for (const [name, data] of Object.entries(events)) entries.push({ name, "meta-type": "event", "arg-type": types.nameOf(data) });
  return [...entries, ...types.entries];
}

class TypeNames {
  readonly entries: Readonly<Record<string, unknown>>[] = [];
  readonly #names = new Map<unknown, string>();
  #count = 0;

  nameOf(type: SchemaType): string {
    // Numbers are one type to a schema, however wide.
    if (type.kind === "builtin") return this.#builtin(type.name === "uint64" ? "int" : type.name);
    if (type.kind === "object" && Object.keys(type.members).length === 0) return this.#empty();
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    if (type.kind === "list") return this.#list(type, this.nameOf(type.element));
    return this.#describe(type);
  }

  #builtin(name: string): string {
    if (this.#names.has(name)) return name;
    this.#names.set(name, name);
    const jsonTypes: Readonly<Record<string, string>> = { str: "string", bool: "boolean", any: "value" };
    this.entries.push({ name, "meta-type": "builtin", "json-type": jsonTypes[name] ?? name });
    return name;
  }

  #empty(): string {
    if (!this.#names.has("0")) {
      this.#names.set("0", "0");
      this.entries.push({ name: "0", "meta-type": "object", members: [] });
    }
    return "0";
  }

  #list(type: SchemaType, element: string): string {
    const name = `[${element}]`;
    this.#names.set(type, name);
    if (!this.#names.has(name)) {
      this.#names.set(name, name);
      this.entries.push({ name, "meta-type": "array", "element-type": element });
    }
    return name;
  }

  #describe(type: Exclude<SchemaType, { kind: "builtin" | "list" }>): string {
    this.#count++;
    const name = String(this.#count);
    this.#names.set(type, name);
    // Its place comes before those that it leads to.
    const at = this.entries.push({}) - 1;
    this.entries[at] = { name, ...this.#content(type) };
    return name;
  }

  #content(type: Exclude<SchemaType, { kind: "builtin" | "list" }>): Readonly<Record<string, unknown>> {
    switch (type.kind) {
      case "enum":
        return { "meta-type": "enum", members: type.values.map((name) => ({ name })), values: type.values };
      case "object":
        return { "meta-type": "object", members: this.#members(type.members) };
      case "union": {
        const tags = { kind: "enum", values: Object.keys(type.variants) } as const;
        const variants = Object.entries(type.variants).map(([name, variant]) => ({ case: name, type: this.nameOf(variant) }));
        return { "meta-type": "object", members: this.#members({ [type.tag]: tags, ...type.base }), tag: type.tag, variants };
      }
    }
  }

  #members(members: Members): Readonly<Record<string, unknown>>[] {
    return Object.entries(members).map(([name, member]) =>
      member.kind === "optional" ? { name, default: null, type: this.nameOf(member.type) } : { name, type: this.nameOf(member) },
    );
  }
}
