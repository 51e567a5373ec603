import { QemuError } from "../qemu-error.ts";

const suffixes: Readonly<Record<string, number>> = { B: 0, K: 1, M: 2, G: 3, T: 4, P: 5, E: 6 };
const sizeHint = "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.";
const largest = 2n ** 64n;

/** A size as QEMU reads it, in bytes; a number alone counts in `unit`. QemuError that names the parameter. */
export function memorySize(text: string, parameter: string, unit: "B" | "M"): number {
  const match = /^\s*(\d+)(\.\d+)?([bkmgtpe]?)$/i.exec(text);
  if (!match) throw new QemuError(`Parameter '${parameter}' expects a non-negative number below 2^64`, "GenericError", sizeHint);
  const [, whole = "", fraction = "", suffix = ""] = match;
  if (BigInt(whole) >= largest) throw new QemuError(`Value '${text}' is out of range for parameter '${parameter}'`);
  const power = suffixes[(suffix || unit).toUpperCase()] ?? 0;
  return Number(`${whole}${fraction}`) * 1024 ** power;
}
