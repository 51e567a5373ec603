import fc from "fast-check";
import { expect, test } from "vitest";
import { elfFile } from "../../../test/support/elf-file.ts";
import { neededLibraries } from "./needed-libraries.ts";

const texts = Buffer.from("\0libc.so.6\0libica.so.3\0");
const dynamic = (...entries: readonly [tag: number, value: number][]): Buffer =>
  Buffer.concat(
    entries.map((entry) => {
      const bytes = Buffer.alloc(16);
      entry.forEach((word, index) => void bytes.writeBigUInt64BE(BigInt(word), index * 8));
      return bytes;
    }),
  );
const program = elfFile({
  ".interp": Buffer.from("/lib/ld64.so.1\0"),
  ".dynstr": texts,
  ".dynamic": dynamic([1, 1], [14, 11], [1, 11], [0, 0]),
});

test("a program needs the libraries that its dynamic section names, and the loader that it asks for", () => {
  expect(neededLibraries(program)).toEqual(["libc.so.6", "libica.so.3", "ld64.so.1"]);
});

test("a static program, a script and an empty file need nothing", () => {
  for (const bytes of [elfFile({ ".text": Buffer.alloc(8) }), Buffer.from("#!/bin/sh\n"), Buffer.alloc(0)])
    expect(neededLibraries(bytes)).toEqual([]);
});

test("a program for another processor needs nothing that is looked for", () => {
  const little = Buffer.from(program);
  little[5] = 1;
  expect(neededLibraries(little)).toEqual([]);
});

test("a damaged file never makes it read outside", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: program.length - 1 }),
      fc.uint8Array({ minLength: 1, maxLength: 16 }),
      fc.integer({ min: 0, max: program.length }),
      (at, bytes, length) => {
        const damaged = Buffer.from(program);
        damaged.set(bytes.subarray(0, damaged.length - at), at);
        for (const name of neededLibraries(damaged.subarray(0, length))) expect(typeof name).toBe("string");
      },
    ),
    { numRuns: 2000 },
  );
});
