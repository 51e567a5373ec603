import { JsonDouble } from "./json-value.ts";
import { membersInOrder } from "./member-order.ts";

/** JSON as QEMU prints it: ASCII alone, members in its own order, ", " and ": ". Members whose value is undefined are left out. */
export function jsonText(value: unknown): string {
  return text(value, undefined);
}

/** The same over many lines, as `pretty=on` has it. */
export function prettyJsonText(value: unknown): string {
  return text(value, 0);
}

/** Without an indent everything is one line. */
function text(value: unknown, indent: number | undefined): string {
  switch (typeof value) {
    case "string":
      return stringText(value);
    case "number":
      return Number.isSafeInteger(value) ? String(value) : doubleText(value);
    case "bigint":
    case "boolean":
      return String(value);
  }
  if (value === null || value === undefined) return "null";
  if (value instanceof JsonDouble) return doubleText(value.value);
  if (Array.isArray(value))
    return container(
      "[",
      value.map((element) => text(element, deeper(indent))),
      "]",
      indent,
    );
  const members = (value instanceof Map ? [...value] : Object.entries(value)).filter(([, member]) => member !== undefined);
  const lines = membersInOrder(members).map(([name, member]) => `${stringText(name)}: ${text(member, deeper(indent))}`);
  return container("{", lines, "}", indent);
}

const deeper = (indent: number | undefined): number | undefined => (indent === undefined ? undefined : indent + 1);

function container(open: string, items: readonly string[], close: string, indent: number | undefined): string {
  if (indent === undefined) return `${open}${items.join(", ")}${close}`;
  const lines = items.map((item) => `\n${"    ".repeat(indent + 1)}${item}`);
  return `${open}${lines.join(",")}\n${"    ".repeat(indent)}${close}`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function stringText(value: string): string {
  const escaped = value.replace(/\p{Surrogate}/gu, "\ufffd").replace(/[^ !#-[\]-~]/g, (unit) => escapes[unit] ?? unicodeEscape(unit));
  return `"${escaped}"`;
}

const unicodeEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** As %.17g of C. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const [digits = "", exponentText = "0"] = value.toExponential(16).split("e");
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 17) return withoutTrailingZeros(value.toFixed(Math.max(0, 16 - exponent)));
  const sign = exponent < 0 ? "-" : "+";
  return `${withoutTrailingZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const withoutTrailingZeros = (digits: string): string => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
