import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";

/** Texts to write: those that real kernels refused, and random bytes, one character a byte. */
const traces = new URL("../../traces/", import.meta.url);

/** Every text of the recorded traces that was malformed. */
export function recordedTexts(): string[] {
  const texts = new Set<string>();
  for (const kernel of readdirSync(traces)) {
    for (const file of readdirSync(new URL(`${kernel}/`, traces))) {
      for (const line of readFileSync(new URL(`${kernel}/${file}`, traces), "utf8")
        .trim()
        .split("\n")) {
        const { write, data, errno } = JSON.parse(line) as { write?: string; data?: string; errno?: string };
        if (write !== undefined && data !== undefined && (errno === "EINVAL" || errno === "ERANGE")) texts.add(data);
      }
    }
  }
  return [...texts];
}

const validTexts = [
  "5\n", "0x4\n", "+7", "004\n", "256\n", "1\n", "0\n", "on\n", "add\n", "-5,+1-4\n", "+0-255\n", "0xff\n", "0x0,0x0,0x0\n",
  `0x${"0".repeat(64)},0x${"8".repeat(64)},0x${"f".repeat(64)}\n`, `0x${"f".repeat(64)}\n`, "05.0004\n", "card05", "cex4queue", "vfio_ap\n", "one\n",
  "00000001-4b4a-1484-a9b1-0c42436f40f2\n", "a6d1f0c2-4b4a-1484-a9b1-0c42436f40f2", "change 00000001-4b4a-1484-a9b1-0c42436f40f2 A=B C=D\n",
]; // biome-ignore format: a list

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const telling = fc.constantFrom("\0", "\n", " ", ",", "-", "+", "0", "9", "x", "X", "f", "\t", "\xff", "\u00e4", "7", "8", ".", "_");

const bytes = (maxLength: number, minLength = 0): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength, size: "max" }).map((array) => Buffer.from(array).toString("latin1"));

const hugeNumber = fc
  .tuple(
    fc.constantFrom("", "+", "-", "0x", "0", "-0x", "+0-"),
    fc.constantFrom("9", "f", "7", "0", "1"),
    fc.constantFrom(10, 19, 20, 21, 64, 65, 400, 4095, 4096),
  )
  .map(([prefix, digit, count]) => prefix + digit.repeat(count));

const nearlyValid = fc
  .tuple(
    fc.constantFrom(...validTexts),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom("insert", "replace", "drop", "double"), fc.oneof(telling, byte)), {
      minLength: 0,
      maxLength: 3,
    }),
  )
  .map(([text, changes]) => changes.reduce(change, text));

function change(text: string, [where, how, piece]: [number, string, string]): string {
  const at = where % (text.length + 1);
  const [left, right] = [text.slice(0, at), text.slice(at)];
  if (how === "insert") return left + piece + right;
  if (how === "replace") return left + piece + right.slice(1);
  return how === "drop" ? left + right.slice(1) : left + right + right;
}

export const randomText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: nearlyValid },
  { weight: 3, arbitrary: bytes(80) },
  { weight: 2, arbitrary: hugeNumber },
  { weight: 2, arbitrary: fc.array(telling, { maxLength: 70, size: "max" }).map((pieces) => pieces.join("")) },
  { weight: 1, arbitrary: bytes(4200, 4090) },
);
