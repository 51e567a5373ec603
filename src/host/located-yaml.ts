import { type ErrorCode, isCollection, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";

/** Where something stands in a file, both counted from 1. */
export interface Location {
  readonly line: number;
  readonly column: number;
}

export type YamlPath = readonly (string | number)[];

export interface LocatedYaml {
  readonly value: unknown;
  readonly problems: readonly { readonly location: Location; readonly message: string }[];
  /** Where the value at `path` stands, or the nearest thing above it; `"key"`: where its key stands. */
  locate(path: YamlPath, what?: "key" | "value"): Location;
}

/** How often an alias may be resolved: a few lines of nested aliases would fill the memory otherwise. */
const maxAliasCount = 100;

/** Where the parser speaks to programmers. */
const messages: Partial<Record<ErrorCode, string>> = { MULTIPLE_DOCS: "a second document begins here; expected one host a file" };

/**
 * Parses YAML and remembers where everything stands. A plain scalar under one of `textKeys` stays the text that was written:
 * `kernel: 4.20` is not a number, nor is a mask of 64 digits.
 */
export function parseLocatedYaml(text: string, textKeys: ReadonlySet<string>): LocatedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const locationOf = (offset: number): Location => {
    const position = lines.linePos(offset);
    return { line: Math.max(1, position.line), column: Math.max(1, position.col) };
  };
  visit(document, {
    Pair(_, pair) {
      if (isScalar(pair.key) && textKeys.has(String(pair.key.value)) && isScalar(pair.value)) keepText(pair.value);
    },
  });
  const problems = document.errors.map((error) => ({ location: locationOf(error.pos[0]), message: messages[error.code] ?? error.message }));
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined)
        problems.push({ location: locationOf(alias.range?.[0] ?? 0), message: `*${alias.source} is no anchor above` });
    },
    Pair(_, pair) {
      if (isCollection(pair.key))
        problems.push({ location: locationOf(pair.key.range?.[0] ?? 0), message: "expected a word or a number as a key" });
    },
  });
  return { value: problems.length > 0 ? undefined : content(), problems, locate };

  function content(): unknown {
    try {
      return document.toJS({ maxAliasCount });
    } catch (error) {
      problems.push({ location: locationOf(0), message: (error as Error).message });
      return undefined;
    }
  }

  function locate(path: YamlPath, what: "key" | "value" = "value"): Location {
    let at: Node | null = document.contents as Node | null;
    let offset = at?.range?.[0] ?? 0;
    for (const [index, step] of path.entries()) {
      const isLast = index === path.length - 1;
      if (isMap(at)) {
        const pair = at.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (!pair) break;
        const value = pair.value as Node | null;
        offset = (isLast && what === "value" ? value?.range?.[0] : undefined) ?? (pair.key as Node).range?.[0] ?? offset;
        at = value;
      } else if (isSeq(at)) {
        at = (at.items[Number(step)] as Node | undefined) ?? null;
        offset = at?.range?.[0] ?? offset;
      } else break;
    }
    return locationOf(offset);
  }
}

function keepText(scalar: { value: unknown; source?: string; type?: string | null }): void {
  if (scalar.type === "PLAIN" && typeof scalar.value === "number" && scalar.source !== undefined) scalar.value = scalar.source;
}
