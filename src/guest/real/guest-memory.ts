import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { AddressingError, type Memory } from "../../ap/platform.ts";

/**
 * A guest's memory by absolute addresses: the file that stock QEMU shares it through. Reading and writing need no stop of the guest.
 */
export class GuestMemory implements Memory {
  readonly #file: number;

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
    if (readSync(this.#file, bytes, 0, length, address) !== length) throw new AddressingError();
    return bytes;
  }

  write(address: number, bytes: Uint8Array): void {
    if (address < 0 || address + bytes.length > this.size) throw new AddressingError();
    writeSync(this.#file, bytes, 0, bytes.length, address);
  }

  close(): void {
    closeSync(this.#file);
  }
}
