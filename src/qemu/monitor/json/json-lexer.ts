import { MAX_TOKEN_BYTES } from "./json-limits.ts";

/**
 * Cuts bytes into tokens as they come in, in pieces of any size. What is no token is one `error` token that ends with the byte that could not
 * follow; everything up to the next line end, bracket, brace, comma or colon is passed over then.
 * Source: QEMU 10.2.2 qobject/json-lexer.c.
 */
export class JsonLexer {
  readonly #emit: (token: JsonToken) => boolean;
  #state: State = "start";
  #isWanted = true;
  /** The beginning of a token whose end has not come yet. */
  #kept = new Uint8Array();
  #keptBytes = 0;

  /** What takes the tokens says whether it wants more now. */
  constructor(emit: (token: JsonToken) => boolean) {
    this.#emit = emit;
  }

  /** Returns how many bytes it took: all, or fewer because no more tokens were wanted. */
  feed(bytes: Uint8Array): number {
    let tokenStart = 0;
    let index = 0;
    this.#isWanted = true;
    while (index < bytes.length && this.#isWanted) {
      const byte = bytes[index]!;
      const next = successor(this.#state, byte);
      const isConsumed = next !== "lookahead";
      if (isConsumed) index++;
      switch (next) {
        case "lookahead":
          this.#finish(tokenKindOf(this.#state), bytes.subarray(tokenStart, index));
          tokenStart = index;
          this.#state = "start";
          break;
        case "skip":
          tokenStart = index;
          this.#state = this.#state === "recovery" ? "recovery" : "start";
          break;
        case "error":
          this.#finish("error", bytes.subarray(tokenStart, index));
          tokenStart = index;
          this.#state = "recovery";
          break;
        case "string":
        case "{":
        case "}":
        case "[":
        case "]":
        case ":":
        case ",":
          this.#finish(next, bytes.subarray(tokenStart, index));
          tokenStart = index;
          this.#state = "start";
          break;
        default:
          this.#state = next;
      }
      if (this.#keptBytes + index - tokenStart > MAX_TOKEN_BYTES) {
        this.#finish("oversized", new Uint8Array());
        tokenStart = index;
        this.#state = "recovery";
      }
    }
    this.#keep(bytes.subarray(tokenStart, index));
    return index;
  }

  #keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const wanted = this.#keptBytes + piece.length;
    if (wanted > this.#kept.length) {
      // Twice the size, as a client may send byte by byte.
      const larger = new Uint8Array(2 * wanted);
      larger.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = larger;
    }
    this.#kept.set(piece, this.#keptBytes);
    this.#keptBytes = wanted;
  }

  #finish(kind: JsonToken["kind"] | undefined, last: Uint8Array): void {
    let bytes = last;
    if (this.#keptBytes > 0) {
      this.#keep(last);
      bytes = this.#kept.subarray(0, this.#keptBytes);
      this.#kept = new Uint8Array();
      this.#keptBytes = 0;
    }
    if (kind) this.#isWanted = this.#emit({ kind, bytes });
  }
}

export interface JsonToken {
  readonly kind: "{" | "}" | "[" | "]" | ":" | "," | "string" | "integer" | "float" | "keyword" | "error" | "oversized";
  readonly bytes: Uint8Array;
}

type State =
  | "start"
  | "recovery"
  | "doubleQuoted"
  | "doubleQuotedEscape"
  | "singleQuoted"
  | "singleQuotedEscape"
  | "keyword"
  | "negative"
  | "zero"
  | "integer"
  | "fractionStart"
  | "fraction"
  | "exponentStart"
  | "exponentSign"
  | "exponent";
type Successor = State | "lookahead" | "skip" | "error" | "string" | "{" | "}" | "[" | "]" | ":" | ",";

function successor(state: State, byte: number): Successor {
  return states[state](byte);
}

/** What a state is when a byte that does not belong to it comes. */
function tokenKindOf(state: State): "integer" | "float" | "keyword" | undefined {
  if (state === "zero" || state === "integer") return "integer";
  if (state === "fraction" || state === "exponent") return "float";
  return state === "keyword" ? "keyword" : undefined;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
/** Bytes of a string or between errors: no control character, and neither of the bytes that never occur in UTF-8. */
const isText = (byte: number): boolean => byte >= 0x20 && byte <= 0xfd;
const endUnlessAscii = (byte: number): Successor => (byte < 0x80 ? "lookahead" : "error");
const letter = (character: string): number => character.charCodeAt(0);

const [quote, apostrophe, backslash, minus, plus, point, tab] = ['"', "'", "\\", "-", "+", ".", "\t"].map(letter) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const structure = new Map<number, Successor>((["{", "}", "[", "]", ":", ","] as const).map((sign) => [letter(sign), sign]));
const whitespace = new Set([" ", "\t", "\r", "\n"].map(letter));

const states: Readonly<Record<State, (byte: number) => Successor>> = {
  start: (byte) => {
    if (whitespace.has(byte)) return "skip";
    const sign = structure.get(byte);
    if (sign) return sign;
    if (byte === quote) return "doubleQuoted";
    if (byte === apostrophe) return "singleQuoted";
    if (byte === minus) return "negative";
    if (byte === 0x30) return "zero";
    if (isDigit(byte)) return "integer";
    return byte >= 0x61 && byte <= 0x7a ? "keyword" : "error";
  },
  recovery: (byte) => ((isText(byte) && !structure.has(byte)) || byte === tab ? "skip" : "lookahead"),
  doubleQuoted: (byte) => {
    if (byte === quote) return "string";
    if (byte === backslash) return "doubleQuotedEscape";
    return isText(byte) ? "doubleQuoted" : "error";
  },
  doubleQuotedEscape: (byte) => (isText(byte) ? "doubleQuoted" : "error"),
  singleQuoted: (byte) => {
    if (byte === apostrophe) return "string";
    if (byte === backslash) return "singleQuotedEscape";
    return isText(byte) ? "singleQuoted" : "error";
  },
  singleQuotedEscape: (byte) => (isText(byte) ? "singleQuoted" : "error"),
  keyword: (byte) => (byte >= 0x61 && byte <= 0x7a ? "keyword" : endUnlessAscii(byte)),
  negative: (byte) => {
    if (byte === 0x30) return "zero";
    return isDigit(byte) ? "integer" : "error";
  },
  zero: (byte) => {
    if (isDigit(byte)) return "error";
    return byte === point ? "fractionStart" : endUnlessAscii(byte);
  },
  integer: (byte) => {
    if (isDigit(byte)) return "integer";
    if (byte === 0x65 || byte === 0x45) return "exponentStart";
    return byte === point ? "fractionStart" : endUnlessAscii(byte);
  },
  fractionStart: (byte) => (isDigit(byte) ? "fraction" : "error"),
  fraction: (byte) => {
    if (isDigit(byte)) return "fraction";
    return byte === 0x65 || byte === 0x45 ? "exponentStart" : endUnlessAscii(byte);
  },
  exponentStart: (byte) => {
    if (byte === minus || byte === plus) return "exponentSign";
    return isDigit(byte) ? "exponent" : "error";
  },
  exponentSign: (byte) => (isDigit(byte) ? "exponent" : "error"),
  exponent: (byte) => (isDigit(byte) ? "exponent" : endUnlessAscii(byte)),
};
