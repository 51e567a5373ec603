import { JsonLexer, type JsonToken } from "./json-lexer.ts";
import { MAX_NESTING, MAX_QUOTED_BYTES, MAX_TOKEN_BYTES, MAX_TOKEN_COUNT } from "./json-limits.ts";
import { parseJson } from "./json-parser.ts";
import type { JsonValue } from "./json-value.ts";

/** One thing that a stream of bytes said: a value, or why it is none. */
export type JsonRequest = { readonly value: JsonValue } | { readonly problem: string };

/**
 * Finds the values in a stream of bytes. A value ends when its brackets and braces are closed, line ends mean nothing; an error drops what
 * is unfinished. Source: QEMU 10.2.2 qobject/json-streamer.c.
 */
export class JsonRequests {
  readonly #lexer = new JsonLexer((token) => this.#accept(token));
  readonly #deliver: (request: JsonRequest) => void;
  #tokens: JsonToken[] = [];
  #bytes = 0;
  #braces = 0;
  #brackets = 0;

  constructor(deliver: (request: JsonRequest) => void) {
    this.#deliver = deliver;
  }

  /** Returns how many bytes it took: it stops after a request. */
  feed(bytes: Uint8Array): number {
    return this.#lexer.feed(bytes);
  }

  /** True while the request is unfinished. */
  #accept(token: JsonToken): boolean {
    if (token.kind === "error") return this.#end({ problem: `JSON parse error, stray '${quoted(token.bytes)}'` });
    if (token.kind === "{") this.#braces++;
    if (token.kind === "}") this.#braces--;
    if (token.kind === "[") this.#brackets++;
    if (token.kind === "]") this.#brackets--;
    this.#bytes += token.bytes.length;
    if (token.kind === "oversized" || this.#bytes > MAX_TOKEN_BYTES) return this.#end({ problem: "JSON token size limit exceeded" });
    if (this.#tokens.length >= MAX_TOKEN_COUNT) return this.#end({ problem: "JSON token count limit exceeded" });
    if (this.#braces + this.#brackets > MAX_NESTING) return this.#end({ problem: "JSON nesting depth limit exceeded" });
    this.#tokens.push({ kind: token.kind, bytes: token.bytes.slice() });
    const isOpen = this.#braces >= 0 && this.#brackets >= 0 && this.#braces + this.#brackets > 0;
    return isOpen || this.#end(this.#parse());
  }

  #parse(): JsonRequest {
    try {
      return { value: parseJson(this.#tokens) };
    } catch (error) {
      return { problem: (error as Error).message };
    }
  }

  #end(request: JsonRequest): false {
    this.#tokens = [];
    this.#bytes = 0;
    this.#braces = 0;
    this.#brackets = 0;
    this.#deliver(request);
    return false;
  }
}

const quoted = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, MAX_QUOTED_BYTES));
