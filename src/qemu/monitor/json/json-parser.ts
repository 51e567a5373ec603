import type { JsonToken } from "./json-lexer.ts";
import { MAX_QUOTED_BYTES } from "./json-limits.ts";
import { JsonParseError } from "./json-parse-error.ts";
import { parseJsonString } from "./json-string.ts";
import { JsonDouble, type JsonObject, type JsonValue } from "./json-value.ts";

/** The value of a balanced list of tokens; whatever follows the value is dropped. JsonParseError. Source: QEMU 10.2.2 qobject/json-parser.c. */
export function parseJson(tokens: readonly JsonToken[]): JsonValue {
  return new Parser(tokens).value();
}

class Parser {
  readonly #tokens: readonly JsonToken[];
  #next = 0;

  constructor(tokens: readonly JsonToken[]) {
    this.#tokens = tokens;
  }

  value(): JsonValue {
    const token = this.#peek();
    switch (token.kind) {
      case "{":
        return this.#object();
      case "[":
        return this.#list();
      case "string":
        return parseJsonString(this.#take().bytes);
      case "integer":
        return integer(textOf(this.#take()));
      case "float":
        return new JsonDouble(Number(textOf(this.#take())));
      case "keyword":
        return keyword(textOf(this.#take()));
      default:
        throw new JsonParseError("expecting value");
    }
  }

  #object(): JsonObject {
    this.#take();
    const members: Record<string, JsonValue> = Object.create(null);
    if (this.#peek().kind === "}") {
      this.#take();
      return members;
    }
    for (;;) {
      const name = this.value();
      if (typeof name !== "string") throw new JsonParseError("key is not a string in object");
      if (this.#take().kind !== ":") throw new JsonParseError("missing : in object pair");
      const value = this.value();
      if (name in members) throw new JsonParseError("duplicate key");
      members[name] = value;
      const { kind } = this.#take();
      if (kind === "}") return members;
      if (kind !== ",") throw new JsonParseError("expected separator in dict");
    }
  }

  #list(): readonly JsonValue[] {
    this.#take();
    const elements: JsonValue[] = [];
    if (this.#peek().kind === "]") {
      this.#take();
      return elements;
    }
    for (;;) {
      elements.push(this.value());
      const { kind } = this.#take();
      if (kind === "]") return elements;
      if (kind !== ",") throw new JsonParseError("expected separator in list");
    }
  }

  #peek(): JsonToken {
    const token = this.#tokens[this.#next];
    if (!token) throw new JsonParseError("premature EOI");
    return token;
  }

  #take(): JsonToken {
    const token = this.#peek();
    this.#next++;
    return token;
  }
}

const textOf = (token: JsonToken): string => Buffer.from(token.bytes).toString("latin1");

function integer(text: string): JsonValue {
  const value = BigInt(text);
  if (value > 0xffff_ffff_ffff_ffffn || value < -0x8000_0000_0000_0000n) return new JsonDouble(Number(text));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number + 0 : value;
}

function keyword(text: string): JsonValue {
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  throw new JsonParseError(`invalid keyword '${text}'`.slice(0, MAX_QUOTED_BYTES));
}
