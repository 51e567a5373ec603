import { Mask } from "../../ap/mask.ts";
import { fail } from "../../sysfs/errno.ts";

/**
 * The texts that apmask, aqmask, ap_config and the masks of zcrypt nodes take. Source: Linux drivers/s390/crypto/ap_bus.c,
 * ap_parse_bitmap_str, ap_hex2bitmap and modify_bitmap.
 */

/** A relative list (`+1,-0x20-40`) on top of `current`, or an absolute hex string. EINVAL. */
export function parseMask(text: string, current: Mask): Mask {
  return text.startsWith("+") || text.startsWith("-") ? applyRelative(text, current) : parseHexMask(text);
}

/** Absolute hex: optional 0x or a lone x, up to 64 digits from the left, missing ones are 0, an optional newline. */
export function parseHexMask(text: string): Mask {
  const match = /^0?x?([0-9a-fA-F]*)\n?$/.exec(text.startsWith("0x") || text.startsWith("x") ? text : `x${text}`);
  const digits = match?.[1];
  if (digits === undefined || digits.length > Mask.bits / 4) return fail("EINVAL");
  const bits: number[] = [];
  for (const [index, digit] of [...digits].entries()) {
    const value = Number.parseInt(digit, 16);
    for (let bit = 0; bit < 4; bit++) if (value & (8 >> bit)) bits.push(4 * index + bit);
  }
  return Mask.from(bits);
}

/** Terms of a sign, a number and perhaps `-number`; a number ends where its base's digits end; `,` and newline may follow a term. */
function applyRelative(text: string, current: Mask): Mask {
  const term = /([+-])(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?:-(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*))?[,\n]*/y;
  let mask = current;
  while (term.lastIndex < text.length) {
    const start = term.lastIndex;
    const match = term.exec(text);
    if (!match || term.lastIndex === start) return fail("EINVAL");
    const [, sign, firstText = "", lastText] = match;
    const first = numberOf(firstText);
    const last = lastText === undefined ? first : numberOf(lastText);
    if (first >= Mask.bits || last >= Mask.bits || first > last) return fail("EINVAL");
    const range = Mask.range(first, last);
    mask = sign === "+" ? mask.or(range) : mask.andNot(range);
  }
  return mask;
}

/** simple_strtoul: wraps at 64 bits without a word. */
function numberOf(text: string): number {
  const digits = /^0[0-7]+$/.test(text) ? `0o${text.slice(1)}` : text.toLowerCase();
  return Number(BigInt.asUintN(64, BigInt(digits)));
}
