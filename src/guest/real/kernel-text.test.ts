import { describe, expect, test } from "vitest";
import { apInstructionPatterns } from "./ap-instruction.ts";
import { findIn, textAround } from "./kernel-text.ts";
import { ToyMemory } from "./toy-memory.ts";

const mib = 2 ** 20;
const kernelSpace = 0x3ff_e000_0000n;
const place = kernelSpace + 0x10_0000n;
const pqap = Buffer.from("b2af0000", "hex");
const ordinary = Buffer.from("b9040012".repeat(64), "hex");

/** A kernel of two pages, the second one somewhere else in memory, and an instruction in each. */
function kernel(): { memory: ToyMemory; asce: bigint } {
  const memory = new ToyMemory(4 * mib);
  const asce = BigInt(memory.table("region")) | (2n << 2n) | 3n;
  memory.mapPage(asce, kernelSpace, 0x5000);
  memory.mapPage(asce, kernelSpace + 0x1000n, 0x9000);
  put(memory, 0x5200);
  put(memory, 0x9400);
  return { memory, asce };
}

/** Behind other instructions, by which its place is known for one. */
function put(memory: ToyMemory, absolute: number): void {
  ordinary.copy(memory.bytes, absolute - ordinary.length);
  pqap.copy(memory.bytes, absolute);
}

const find = (memory: ToyMemory, asce: bigint | undefined, around = place): readonly bigint[] =>
  findIn(textAround(memory, { asce }, around), apInstructionPatterns);

describe("instructions around a place of the kernel", () => {
  test("are found in every page that is mapped", () => {
    const { memory, asce } = kernel();
    expect(find(memory, asce)).toEqual([kernelSpace + 0x200n, kernelSpace + 0x1400n]);
  });

  test("are found where they cross from one page to the next of the same memory", () => {
    const { memory, asce } = kernel();
    memory.mapPage(asce, kernelSpace + 0x1000n, 0x6000);
    memory.bytes.fill(0, 0x5000, 0x7000);
    put(memory, 0x5ffe);
    expect(find(memory, asce)).toEqual([kernelSpace + 0xffen]);
  });

  test("are not made of the ends of two pages that are apart in memory", () => {
    const { memory, asce } = kernel();
    memory.bytes.fill(0, 0x5000, 0xa000);
    put(memory, 0x5ffe);
    pqap.copy(memory.bytes, 0x9000, 2);
    expect(find(memory, asce).length).toBe(0);
  });

  test("are looked for within 32 MiB in both directions, and no further", () => {
    const { memory, asce } = kernel();
    const reach = BigInt(32 * mib);
    const addresses = (around: bigint): readonly bigint[] => find(memory, asce, around);
    const second = kernelSpace + 0x1400n;
    expect(addresses(second + reach)).toEqual([second]);
    expect(addresses(kernelSpace + 0x2000n + reach)).toEqual([]);
    expect(addresses(kernelSpace + 0x204n - reach)).toEqual([kernelSpace + 0x200n]);
    expect(addresses(kernelSpace + 0x200n - reach)).toEqual([]);
  });

  test("are found around a mapping of what is no memory", () => {
    const { memory, asce } = kernel();
    memory.mapPage(asce, kernelSpace - 0x1000n, 0x7fff_f000);
    memory.mapPage(asce, kernelSpace + 0x2000n, 0x7fff_0000);
    expect(find(memory, asce).length).toBe(2);
  });

  test.each([
    ["without translation", undefined, 0n],
    ["in frames of 1 MiB", 1n, kernelSpace],
  ])("are found %s up to the end of memory, though the reach goes beyond it", (_title, isMapped, base) => {
    const memory = new ToyMemory(4 * mib);
    let asce: bigint | undefined;
    if (isMapped) {
      const regions = memory.table("region");
      const segments = memory.table("segment");
      asce = BigInt(regions) | 7n;
      memory.setEntry(regions, Number(kernelSpace >> 31n) & 0x7ff, BigInt(segments) | 7n);
      for (let megabyte = 0; megabyte < 16; megabyte++) {
        memory.setEntry(segments, (Number(kernelSpace >> 20n) & 0x7ff) + megabyte, BigInt(megabyte * mib) | 0x400n);
      }
    }
    put(memory, 0x8000);
    put(memory, 4 * mib - 4);
    const found = [...find(memory, asce, base + BigInt(3 * mib))];
    expect(found).toEqual([base + 0x8000n, base + BigInt(4 * mib - 4)]);
  });

  test("are none where nothing is mapped", () => {
    const { memory, asce } = kernel();
    expect(find(memory, asce, 0x1000_0000n).length).toBe(0);
  });
});
