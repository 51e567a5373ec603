import { AddressingError, type Memory } from "../../ap/platform.ts";

/** A guest's memory in a Buffer, with page tables made by hand. For tests. */
export class ToyMemory implements Memory {
  readonly bytes: Buffer;
  /** Where the next table goes. */
  #free: number;

  /** Tables come to be from `tables` on. */
  constructor(
    readonly size: number,
    tables = 0x10_0000,
  ) {
    this.bytes = Buffer.alloc(size);
    this.#free = tables;
  }

  read(address: number, length: number): Buffer {
    if (address < 0 || address + length > this.size) throw new AddressingError();
    return Buffer.from(this.bytes.subarray(address, address + length));
  }

  write(address: number, bytes: Uint8Array): void {
    if (address < 0 || address + bytes.length > this.size) throw new AddressingError();
    this.bytes.set(bytes, address);
  }

  /** A table whose entries all are invalid: 16 KiB for regions and segments, 2 KiB for pages. */
  table(kind: "region" | "segment" | "page"): number {
    const isPage = kind === "page";
    const size = isPage ? 0x800 : 0x4000;
    // Page tables may lie in the second half of a frame, and here they all do.
    const start = Math.ceil(this.#free / 0x4000) * 0x4000 + (isPage ? 0x800 : 0);
    this.#free = start + size;
    for (let at = start; at < start + size; at += 8) this.bytes.writeBigUInt64BE(isPage ? 0x400n : 0x20n, at);
    return start;
  }

  setEntry(table: number, index: number, entry: bigint): void {
    this.bytes.writeBigUInt64BE(entry, table + 8 * index);
  }

  entry(table: number, index: number): bigint {
    return this.bytes.readBigUInt64BE(table + 8 * index);
  }

  /**
   * Maps a page through all tables from the one of `asce` down; tables that are missing are made. Written from the layout of the manual:
   * 11 bits of the address for each table of regions and of segments, 8 for pages.
   */
  mapPage(asce: bigint, virtual: bigint, absolute: number): void {
    const levels = [53n, 42n, 31n, 20n].slice(3 - Number((asce >> 2n) & 3n));
    let table = Number(asce & ~0xfffn);
    for (const shift of levels) {
      const index = Number((virtual >> shift) & 0x7ffn);
      if ((this.entry(table, index) & 0x20n) !== 0n) this.setEntry(table, index, BigInt(this.#tableBelow(shift)));
      table = Number(this.entry(table, index) & ~0x7ffn);
    }
    this.setEntry(table, Number((virtual >> 12n) & 0xffn), BigInt(absolute));
  }

  /** The table with the bits that an entry of the level above has: type, and length of regions' and segments' tables. */
  #tableBelow(shift: bigint): number {
    if (shift === 20n) return this.table("page");
    const type = { 53: 3, 42: 2, 31: 1 }[Number(shift)] ?? 0;
    return this.table(shift === 31n ? "segment" : "region") | (type << 2) | 3;
  }
}
