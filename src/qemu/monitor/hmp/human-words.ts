/** Bytes of a word; the rest of a longer one is dropped, as QEMU does. */
const MAX_WORD_LENGTH = 1023;

export interface Word {
  readonly text: string;
  /** What stands behind it. */
  readonly rest: string;
}

/**
 * The first word of a line; undefined where there is none, a problem for one that does not end. Quotes mean something only at a word's
 * beginning: sysfsdev="/path" keeps its quotes. Source: get_str of QEMU 10.2.2's monitor/hmp.c.
 */
export function firstWord(line: string): Word | { readonly problem: string } | undefined {
  const text = line.trimStart();
  if (text === "") return undefined;
  if (!text.startsWith('"')) {
    const [word = ""] = /^\S+/.exec(text) ?? [];
    return { text: word.slice(0, MAX_WORD_LENGTH), rest: text.slice(word.length) };
  }
  let word = "";
  for (let at = 1; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') return { text: word.slice(0, MAX_WORD_LENGTH), rest: text.slice(at + 1) };
    if (character !== "\\") {
      word += character;
      continue;
    }
    at++;
    const escaped = escapes[text[at] ?? ""];
    if (escaped === undefined) return { problem: `unsupported escape code: '\\${text[at] ?? ""}'` };
    word += escaped;
  }
  return { problem: "unterminated string" };
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", "\\": "\\", "'": "'", '"': '"' };
