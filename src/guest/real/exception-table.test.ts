import { beforeEach, expect, test } from "vitest";
import { findExceptionEntry } from "./exception-table.ts";
import { textAround } from "./kernel-text.ts";
import { absolute, kernel, ToyGuest } from "./toy-guest.ts";

let guest: ToyGuest;
let asce: bigint;
const find = () => findExceptionEntry(textAround(guest.memory, { asce }, kernel.handler), kernel.handler);

beforeEach(async () => {
  guest = new ToyGuest(() => {});
  await guest.attach();
  guest.mapKernel();
  asce = guest.machine.processors[0]!.controls[13]!;
  return () => guest.close();
});

test("a kernel's table of exceptions is found by its entries", () => {
  guest.mapExceptions();
  expect(find()).toEqual({ entry: kernel.exceptionEntry, taker: kernel.taker });
});

test.each<[string, () => void]>([
  ["is none", () => {}],
  ["are two", () => [0x800, 0xa00].forEach((place) => void guest.mapExceptions(place))],
  [
    "are entries that should be alike and are not",
    () => guest.memory.bytes.writeBigUInt64BE(kernel.handler, absolute.text + 0x800 + 8 * 17),
  ],
  ["are entries that should differ and do not", () => guest.memory.bytes.writeBigUInt64BE(kernel.taker, absolute.text + 0x800 + 8 * 2)],
  [
    "is an entry far from the kernel",
    () => guest.memory.bytes.writeBigUInt64BE(kernel.handler + 2n ** 26n, absolute.text + 0x800 + 8 * 15),
  ],
  ["is an entry at an odd address", () => guest.memory.bytes.writeBigUInt64BE(kernel.handler + 1n, absolute.text + 0x800 + 8 * 15)],
])("nothing is taken for it where there %s", (_, change) => {
  if (_ !== "is none") guest.mapExceptions();
  change();
  expect(find()).toBeUndefined();
});
