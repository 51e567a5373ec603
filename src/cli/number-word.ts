import { UsageError } from "./command.ts";

/** A number in decimal or, with 0x, hexadecimal. */
export function numberWord(text: string, first: number, last: number, what: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= first && value <= last) return value;
  throw new UsageError(`expected ${what} from ${first} to ${last}, got ${text}`);
}
