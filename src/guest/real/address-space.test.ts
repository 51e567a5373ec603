import { describe, expect, test } from "vitest";
import { AddressingError } from "../../ap/platform.ts";
import { controlRegisterOf, readVirtual, translate, writeVirtual } from "./address-space.ts";
import { ToyMemory } from "./toy-memory.ts";

const memoryBytes = 4 * 2 ** 20;
const segmentSpace = 0n;
const thirdSpace = 1n;
const secondSpace = 2n;
const firstSpace = 3n;

/** An empty space: its designation type and length of its highest table, behind that table's origin. */
function emptySpace(memory: ToyMemory, type: bigint): bigint {
  return BigInt(memory.table(type === segmentSpace ? "segment" : "region")) | (type << 2n) | 3n;
}

function withPage(type: bigint, virtual: bigint, absolute: number): { memory: ToyMemory; asce: bigint } {
  const memory = new ToyMemory(memoryBytes);
  const asce = emptySpace(memory, type);
  memory.mapPage(asce, virtual, absolute);
  return { memory, asce };
}

const psw = (mask: bigint) => ({ mask, address: 0n });

describe("the control register that operands are translated by", () => {
  test.each([
    [0x0400_0000_0000_0000n, 1],
    [0x0400_4000_0000_0000n, 1],
    [0x0400_8000_0000_0000n, 7],
    [0x0400_c000_0000_0000n, 13],
    [0x0000_c000_0000_0000n, undefined],
  ])("of a PSW with mask %i is %s", (mask, register) => {
    expect(controlRegisterOf(psw(mask))).toBe(register);
  });
});

describe("a translation", () => {
  test.each([
    ["a segment table", segmentSpace, 0x7fff_f123n],
    ["a region-third table", thirdSpace, 0x3ff_ffff_f123n],
    ["a region-second table", secondSpace, 0x1f_ffff_ffff_f123n],
    ["a region-first table", firstSpace, 0xffff_ffff_ffff_f123n],
    [
      "a region-second table, by an index of each level of its own",
      secondSpace,
      (3n << 42n) | (5n << 31n) | (7n << 20n) | (11n << 12n) | 0x123n,
    ],
  ])("goes from %s to the page", (_title, type, virtual) => {
    const { memory, asce } = withPage(type, virtual, 0x5000);
    expect(translate(memory, { asce }, virtual)).toEqual({ absolute: 0x5123, room: 0xedd });
  });

  test.each([
    ["a segment table", segmentSpace, 1n << 31n],
    ["a region-third table", thirdSpace, 1n << 42n],
    ["a region-second table", secondSpace, 1n << 53n],
  ])("of an address beyond what %s designates is an addressing exception", (_title, type, first) => {
    const { memory, asce } = withPage(type, 0n, 0x5000);
    expect(translate(memory, { asce }, 0n).absolute).toBe(0x5000);
    for (const address of [first, 2n * first, 0xffff_ffff_ffff_f000n]) {
      expect(() => translate(memory, { asce }, address)).toThrow(AddressingError);
    }
  });

  test.each([
    ["region first", 1n << 53n],
    ["region second", 1n << 42n],
    ["region third", 1n << 31n],
    ["segment", 1n << 20n],
    ["page", 1n << 12n],
  ])("of an address whose %s entry is invalid is an addressing exception", (_title, difference) => {
    const { memory, asce } = withPage(firstSpace, 0n, 0x5000);
    expect(() => translate(memory, { asce }, difference)).toThrow(AddressingError);
  });

  test("takes a frame of 1 MiB where a segment has one", () => {
    const memory = new ToyMemory(memoryBytes);
    const asce = emptySpace(memory, thirdSpace);
    const segments = memory.table("segment");
    memory.setEntry(Number(asce & ~0xfffn), 0, BigInt(segments) | 7n);
    // Format control, and bits of protection and change that are not part of the address.
    memory.setEntry(segments, 2, 0x30_0000n | 0x400n | 0x2c3n);
    expect(translate(memory, { asce }, 0x2f_fffen)).toEqual({ absolute: 0x3f_fffe, room: 2 });
  });

  test("takes a frame of 2 GiB where a region-third entry has one", () => {
    const memory = new ToyMemory(memoryBytes);
    const asce = emptySpace(memory, thirdSpace);
    memory.setEntry(Number(asce & ~0xfffn), 5, 0x1_8000_0000n | 0x400n | 0x0c7n);
    expect(translate(memory, { asce }, 5n * 2n ** 31n + 0x7fff_ff00n)).toEqual({ absolute: 0x1_ffff_ff00, room: 0x100 });
  });

  test("takes no bits of protection for part of a page's address", () => {
    const { memory, asce } = withPage(segmentSpace, 0n, 0x5000 | 0x2ff);
    expect(translate(memory, { asce }, 0x10n).absolute).toBe(0x5010);
  });

  test.each([
    ["without translation", undefined],
    ["of a real space", 0x1234_5020n],
  ])("%s leaves the address as it is", (_title, asce) => {
    expect(translate(new ToyMemory(memoryBytes), { asce }, 0x2345n)).toEqual({ absolute: 0x2345, room: Number.POSITIVE_INFINITY });
  });

  test.each([
    ["highest table", (_memory: ToyMemory) => 0x7fff_f000n | 7n],
    [
      "page table",
      (memory: ToyMemory) => {
        const asce = emptySpace(memory, segmentSpace);
        memory.setEntry(Number(asce & ~0xfffn), 0, 0x7fff_f800n);
        return asce;
      },
    ],
  ])("whose %s is outside memory is an addressing exception", (_title, spaceOf) => {
    const memory = new ToyMemory(memoryBytes);
    expect(() => translate(memory, { asce: spaceOf(memory) }, 0n)).toThrow(AddressingError);
  });
});

describe("bytes by virtual addresses", () => {
  const text = Buffer.from("across the pages");

  /** Two pages that follow each other in addresses and lie the other way round in memory. */
  function twoPages(second = 0x5000): { memory: ToyMemory; asce: bigint } {
    const { memory, asce } = withPage(secondSpace, 0x3ff_0000_0000n, 0x8000);
    memory.mapPage(asce, 0x3ff_0000_1000n, second);
    return { memory, asce };
  }

  test("are written and read across pages that are apart", () => {
    const { memory, asce } = twoPages();
    writeVirtual(memory, { asce }, 0x3ff_0000_0ffan, text);
    expect(memory.bytes.toString("latin1", 0x8ffa, 0x9000)).toBe("across");
    expect(memory.bytes.toString("latin1", 0x5000, 0x500a)).toBe(" the pages");
    expect(readVirtual(memory, { asce }, 0x3ff_0000_0ffan, text.length).toString()).toBe("across the pages");
  });

  test("are one piece where the end of the page is theirs", () => {
    const { memory, asce } = twoPages();
    writeVirtual(memory, { asce }, 0x3ff_0000_1ff0n, text);
    expect(readVirtual(memory, { asce }, 0x3ff_0000_1ff0n, text.length)).toEqual(text);
    expect(() => readVirtual(memory, { asce }, 0x3ff_0000_1ff1n, text.length)).toThrow(AddressingError);
  });

  test("are none at all of no length, wherever that is", () => {
    const { memory, asce } = twoPages();
    expect(readVirtual(memory, { asce }, 0x7fff_0000n, 0)).toHaveLength(0);
    writeVirtual(memory, { asce }, 0x7fff_0000n, Buffer.alloc(0));
  });

  test.each([
    ["is not mapped", 0x3ff_0000_1ffan, 0x5000],
    ["is mapped to where no memory is", 0x3ff_0000_0ffan, 0x7fff_f000],
  ])("are not written at all where a later page %s", (_title, address, second) => {
    const { memory, asce } = twoPages(second);
    const before = Buffer.from(memory.bytes);
    expect(() => writeVirtual(memory, { asce }, address, text)).toThrow(AddressingError);
    expect(memory.bytes.equals(before)).toBe(true);
  });

  test("without translation end where memory does", () => {
    const memory = new ToyMemory(memoryBytes);
    writeVirtual(memory, { asce: undefined }, BigInt(memoryBytes - text.length), text);
    expect(readVirtual(memory, { asce: undefined }, BigInt(memoryBytes - text.length), text.length)).toEqual(text);
    expect(() => writeVirtual(memory, { asce: undefined }, BigInt(memoryBytes - text.length + 1), text)).toThrow(AddressingError);
  });
});
