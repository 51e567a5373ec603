import { fail } from "../../sysfs/errno.ts";

/** How the kernel reads numbers from text. Source: Linux lib/kstrtox.c and lib/vsprintf.c (sscanf). */

const maxUnsignedLong = 2n ** 64n - 1n;

/** kstrtoul with base 0: an optional +, a number with C prefixes, an optional newline. EINVAL, ERANGE above `max`. */
export function parseUnsigned(text: string, max: bigint = maxUnsignedLong): bigint {
  const match = /^\+?(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))\n?$/.exec(text);
  if (!match) return fail("EINVAL");
  const [, hex, octal, decimal] = match;
  const digits = hex !== undefined ? `0x${hex}` : octal !== undefined ? `0o${octal || "0"}` : (decimal ?? "0");
  if (digits.length > 4096) return fail("ERANGE");
  const value = BigInt(digits);
  return value > max ? fail("ERANGE") : value;
}

/** kstrtobool: only the first character counts, two after an `o`. */
export function parseBoolean(text: string, acceptsTrueFalseLetters: boolean): boolean {
  const first = text[0]?.toLowerCase();
  if (first === "y" || first === "1") return true;
  if (first === "n" || first === "0") return false;
  if (acceptsTrueFalseLetters && first === "t") return true;
  if (acceptsTrueFalseLetters && first === "f") return false;
  if (first === "o") {
    const second = text[1]?.toLowerCase();
    if (second === "n") return true;
    if (second === "f") return false;
  }
  return fail("EINVAL");
}

/** sscanf with one %d or %i: leading blanks, a sign, digits; what follows is ignored. EINVAL without a number; wraps to 32 bits. */
export function scanInteger(text: string, base: 10 | "prefix"): number {
  const match = base === 10 ? /^[ \t\n\v\f\r]*(-?)([0-9]+)/.exec(text) : /^[ \t\n\v\f\r]*(-?)(0[xX][0-9a-fA-F]+|[0-9]+)/.exec(text);
  if (!match) return fail("EINVAL");
  const [, sign, digits = "0"] = match;
  return Number(BigInt.asIntN(32, (sign === "-" ? -1n : 1n) * integerOf(digits, base)));
}

function integerOf(digits: string, base: 10 | "prefix"): bigint {
  const bounded = digits.slice(0, 64);
  if (base === 10) return BigInt(bounded.replace(/^0+(?=.)/, ""));
  if (/^0[xX]/.test(bounded)) return BigInt(bounded.toLowerCase());
  if (!bounded.startsWith("0")) return BigInt(bounded);
  const octal = /^0([0-7]*)/.exec(bounded)?.[1] ?? "";
  return BigInt(`0o${octal || "0"}`);
}
