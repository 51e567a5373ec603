import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { AddressingError, type Memory } from "../../ap/platform.ts";

const pageBytes = 4096;

/**
 * A guest's memory by absolute addresses: the file that stock QEMU shares it through. Reading and writing need no stop of the guest.
 */
export class GuestMemory implements Memory {
  readonly #file: number;
  #writtenPages: Set<number> | undefined;

  constructor(
    path: string,
    /** Bytes. */
    readonly size: number,
  ) {
    this.#file = openSync(path, "r+");
  }

  read(address: number, length: number): Buffer {
    if (address < 0 || address + length > this.size) throw new AddressingError();
    const bytes = Buffer.allocUnsafe(length);
    this.fill(bytes, address);
    return bytes;
  }

  /** Reads as much as there is room for. */
  fill(bytes: Uint8Array, address: number): void {
    if (address < 0 || address + bytes.length > this.size) throw new AddressingError();
    if (readSync(this.#file, bytes, 0, bytes.length, address) !== bytes.length) throw new AddressingError();
  }

  write(address: number, bytes: Uint8Array): void {
    if (address < 0 || address + bytes.length > this.size) throw new AddressingError();
    writeSync(this.#file, bytes, 0, bytes.length, address);
    if (!this.#writtenPages) return;
    for (let page = address - (address % pageBytes); page < address + bytes.length; page += pageBytes) this.#writtenPages.add(page);
  }

  /** What is written here from now on is not seen by QEMU's migration. */
  recordWrites(): void {
    this.#writtenPages = new Set();
  }

  /** Addresses of the pages that were written since. */
  endRecord(): number[] {
    const pages = [...(this.#writtenPages ?? [])];
    this.#writtenPages = undefined;
    return pages;
  }

  close(): void {
    closeSync(this.#file);
  }
}
