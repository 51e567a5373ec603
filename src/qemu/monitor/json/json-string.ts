import { JsonParseError } from "./json-parse-error.ts";

/** The text of a string token with its quotes. JsonParseError. */
export function parseJsonString(token: Uint8Array): string {
  const text = decode(token.subarray(1, -1));
  if (!text.includes("\\")) return text;
  const closing = String.fromCharCode(token[0]!);
  let result = "";
  for (let index = 0; index < text.length; ) {
    const character = text[index]!;
    if (character !== "\\") {
      result += character;
      index++;
      continue;
    }
    const escaped = text[index + 1]!;
    if (escaped === "u") {
      const { character: unicode, length } = unicodeEscape(text, index, closing);
      result += unicode;
      index += length;
      continue;
    }
    const plain = escapes.get(escaped);
    if (plain === undefined) throw new JsonParseError("invalid escape sequence in string");
    result += plain;
    index += 2;
  }
  return result;
}

const escapes = new Map([
  ['"', '"'],
  ["'", "'"],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const overlongZero = Buffer.from([0xc0, 0x80]);

/** QEMU's UTF-8 has two bytes for NUL, and no code point that is no character. */
function decode(bytes: Uint8Array): string {
  try {
    const text = strictUtf8.decode(withoutOverlongZeros(bytes));
    if (!/[^\0-\ufdcf]/u.test(text) || ![...text].some(isNoncharacter)) return text;
  } catch {}
  throw new JsonParseError("invalid UTF-8 sequence in string");
}

function withoutOverlongZeros(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = buffer.indexOf(overlongZero);
  if (at < 0) return bytes;
  const parts: Uint8Array[] = [];
  let start = 0;
  for (; at >= 0; at = buffer.indexOf(overlongZero, start)) {
    parts.push(buffer.subarray(start, at), new Uint8Array(1));
    start = at + 2;
  }
  return Buffer.concat([...parts, buffer.subarray(start)]);
}

function isNoncharacter(character: string): boolean {
  const code = character.codePointAt(0)!;
  return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
}

function unicodeEscape(text: string, at: number, closing: string): { character: string; length: number } {
  const first = codeUnit(text, at);
  if (first !== undefined && (first & 0xfc00) === 0xd800) {
    const second = codeUnit(text, at + 6);
    if (second !== undefined && (second & 0xfc00) === 0xdc00) return accepted(String.fromCharCode(first, second), 12);
  } else if (first !== undefined && (first & 0xfc00) !== 0xdc00) {
    return accepted(String.fromCharCode(first), 6);
  }
  return refuse();

  function accepted(character: string, length: number): { character: string; length: number } {
    return isNoncharacter(character) ? refuse() : { character, length };
  }

  function refuse(): never {
    throw new JsonParseError(`${`${text.slice(at)}${closing}`.slice(0, 6)} is not a valid Unicode character`);
  }
}

function codeUnit(text: string, at: number): number | undefined {
  const match = /^\\u([0-9a-fA-F]{4})$/.exec(text.slice(at, at + 6));
  return match ? Number.parseInt(match[1]!, 16) : undefined;
}
