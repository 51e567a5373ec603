import { expect, test } from "vitest";
import { reachOfContent } from "./end-of-memory.ts";

const mib = 2 ** 20;
const pageBytes = 4096;

/** A memory of zeros with something in some pages, counted from its end. */
function memoryWith(size: number, pages: readonly number[]) {
  const bytes = Buffer.alloc(size);
  for (const page of pages) bytes[size - page * pageBytes + 5] = 1;
  return { size, fill: (room: Uint8Array, address: number) => room.set(bytes.subarray(address, address + room.length)) };
}

test("the reach of some content is up to the page where that much begins", () => {
  const memory = memoryWith(4 * mib, [1, 3, 300, 700]);
  expect(reachOfContent(memory, 1)).toBe(pageBytes);
  expect(reachOfContent(memory, 2 * pageBytes)).toBe(3 * pageBytes);
  expect(reachOfContent(memory, 2 * pageBytes + 1)).toBe(300 * pageBytes);
  expect(reachOfContent(memory, 4 * pageBytes)).toBe(700 * pageBytes);
});

test("content that is not there, or far from the end, has no reach", () => {
  expect(reachOfContent(memoryWith(4 * mib, [1, 3]), 3 * pageBytes)).toBe(Number.POSITIVE_INFINITY);
  expect(reachOfContent(memoryWith(64 * mib, [33 * 256]), 1)).toBe(Number.POSITIVE_INFINITY);
});
