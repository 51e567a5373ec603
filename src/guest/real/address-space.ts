import { AddressingError, type Memory } from "../../ap/platform.ts";
import { inspectPsw, type Psw } from "./psw.ts";

/**
 * Memory by the addresses that a processor uses: dynamic address translation as its PSW and its control registers say.
 * Source: z/Architecture Principles of Operation, chapter 3, "Dynamic Address Translation". Prefixing is left out: what is looked at
 * here, kernel text and adapter messages, is in no processor's prefix area.
 */
export interface Translation {
  /** An address-space-control element, or undefined where addresses are real. */
  readonly asce: bigint | undefined;
}

/** Of the address spaces, the control register that has the element. */
const controlRegisters = { primary: 1, "access-register": 1, secondary: 7, home: 13 } as const;

/** The control register by which a processor with this PSW takes the addresses of operands; undefined: they are real. */
export function controlRegisterOf(psw: Psw): number | undefined {
  const { isTranslating, addressSpace } = inspectPsw(psw);
  return isTranslating ? controlRegisters[addressSpace] : undefined;
}

const tableMask = ~0xfffn;
const realSpace = 0x20n;
const invalidRegionOrSegment = 0x20n;
const largeFrame = 0x400n;
const invalidPage = 0x400n;

/** The tables above the segment table, by their designation type, with the shift of their index and the size of what one entry maps. */
const regionLevels = [
  { type: 3n, shift: 53n },
  { type: 2n, shift: 42n },
  { type: 1n, shift: 31n },
] as const;

/** Where the byte at a virtual address is, and how many more bytes follow it there. AddressingError where nothing is mapped. */
export function translate(memory: Memory, { asce }: Translation, address: bigint): { readonly absolute: number; readonly room: number } {
  if (asce === undefined || (asce & realSpace) !== 0n) return { absolute: Number(address), room: Number.POSITIVE_INFINITY };
  const designation = (asce >> 2n) & 3n;
  let table = asce & tableMask;
  for (const { type, shift } of regionLevels) {
    const index = (address >> shift) & 0x7ffn;
    if (type > designation) {
      if (index !== 0n) throw new AddressingError();
      continue;
    }
    const entry = entryAt(memory, table, index);
    if ((entry & invalidRegionOrSegment) !== 0n) throw new AddressingError();
    if (type === 1n && (entry & largeFrame) !== 0n) return inFrame(entry, address, 31n);
    table = entry & tableMask;
  }
  const segment = entryAt(memory, table, (address >> 20n) & 0x7ffn);
  if ((segment & invalidRegionOrSegment) !== 0n) throw new AddressingError();
  if ((segment & largeFrame) !== 0n) return inFrame(segment, address, 20n);
  const page = entryAt(memory, segment & ~0x7ffn, (address >> 12n) & 0xffn);
  if ((page & invalidPage) !== 0n) throw new AddressingError();
  return inFrame(page, address, 12n);
}

/** `length` bytes from a virtual address. AddressingError. */
export function readVirtual(memory: Memory, translation: Translation, address: bigint, length: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (let done = 0; done < length; ) {
    const { absolute, room } = translate(memory, translation, address + BigInt(done));
    const bytes = Math.min(room, length - done);
    pieces.push(memory.read(absolute, bytes));
    done += bytes;
  }
  return Buffer.concat(pieces);
}

/** AddressingError before anything is written. */
export function writeVirtual(memory: Memory, translation: Translation, address: bigint, bytes: Uint8Array): void {
  const pieces: [number, Uint8Array][] = [];
  for (let done = 0; done < bytes.length; ) {
    const { absolute, room } = translate(memory, translation, address + BigInt(done));
    const end = Math.min(bytes.length, done + room);
    pieces.push([absolute, bytes.subarray(done, end)]);
    done = end;
  }
  // A table may map what is no memory, which only the memory itself knows.
  if (pieces.length > 1) for (const [absolute, piece] of pieces) memory.read(absolute, piece.length);
  for (const [absolute, piece] of pieces) memory.write(absolute, piece);
}

function entryAt(memory: Memory, table: bigint, index: bigint): bigint {
  const bytes = memory.read(Number(table + index * 8n), 8);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}

function inFrame(entry: bigint, address: bigint, bits: bigint): { absolute: number; room: number } {
  const mask = (1n << bits) - 1n;
  const absolute = Number((entry & ~mask) | (address & mask));
  return { absolute, room: Number(mask + 1n - (address & mask)) };
}
