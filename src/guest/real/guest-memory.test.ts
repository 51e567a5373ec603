import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AddressingError } from "../../ap/platform.ts";
import { GuestMemory } from "./guest-memory.ts";

let folder: string;
let memory: GuestMemory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "memory-"));
  writeFileSync(join(folder, "memory"), Buffer.alloc(0x8000));
  memory = new GuestMemory(join(folder, "memory"), 0x8000);
});

afterEach(() => {
  memory.close();
  rmSync(folder, { recursive: true });
});

test("what is written is read, and only within the memory", () => {
  memory.write(0x7ffe, Buffer.of(1, 2));
  expect([...memory.read(0x7ffd, 3)]).toEqual([0, 1, 2]);
  expect(() => memory.read(0x7fff, 2)).toThrow(AddressingError);
  expect(() => memory.write(0x7fff, Buffer.of(1, 2))).toThrow(AddressingError);
});

test("a record has every page that was written since it began, once, and ends", () => {
  memory.write(0x1000, Buffer.of(1));
  memory.recordWrites();
  memory.write(0x2fff, Buffer.of(1, 2));
  memory.write(0x2000, Buffer.alloc(0x1000));
  memory.write(0x6000, Buffer.alloc(0));
  expect(memory.endRecord()).toEqual([0x2000, 0x3000]);
  memory.write(0x5000, Buffer.of(1));
  expect(memory.endRecord()).toEqual([]);
});
