import { attrOut, directoryEntry, entryOut, openOut, outHeader, writeOut } from "./abi.ts";
import { type Stat, writeStat } from "./stat.ts";

const high = 0x1_0000_0000;
/** About 68 years: the kernel keeps names and attributes until it is told otherwise. */
const foreverSeconds = 0x7fff_ffff;

/** The reply under construction. One buffer serves all of them: it is sent, or copied, before the next one begins. */
export class Reply {
  readonly bytes: Buffer;
  readonly view: DataView;
  length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity));
    this.view = new DataView(this.bytes.buffer);
  }

  /** `errno` as a positive number; 0 is success without a body. */
  error(unique: number, errno: number): this {
    return this.#finish(unique, -errno, 0);
  }

  /** `nodeId` with its attributes, both valid until the kernel is told otherwise. */
  entry(unique: number, nodeId: number, stat: Stat): this {
    const start = outHeader.bytes;
    this.bytes.fill(0, start, start + entryOut.bytes);
    this.u64(entryOut.at.nodeid, nodeId);
    this.u32(entryOut.at.entryValid, foreverSeconds);
    this.u32(entryOut.at.attrValid, foreverSeconds);
    writeStat(this.view, start + entryOut.at.attr, stat);
    return this.#finish(unique, 0, entryOut.bytes);
  }

  attributes(unique: number, stat: Stat): this {
    const start = outHeader.bytes;
    this.bytes.fill(0, start, start + attrOut.bytes);
    this.u32(attrOut.at.attrValid, foreverSeconds);
    writeStat(this.view, start + attrOut.at.attr, stat);
    return this.#finish(unique, 0, attrOut.bytes);
  }

  opened(unique: number, fh: number, openFlags: number): this {
    this.u64(openOut.at.fh, fh);
    this.u32(openOut.at.openFlags, openFlags);
    this.u32(openOut.at.padding, 0);
    return this.#finish(unique, 0, openOut.bytes);
  }

  written(unique: number, count: number): this {
    this.u32(writeOut.at.size, count);
    this.u32(writeOut.at.padding, 0);
    return this.#finish(unique, 0, writeOut.bytes);
  }

  /** `count` characters of a text from `offset`, less at its end. */
  text(unique: number, text: string, offset: number, count: number): this {
    const room = Math.min(count, this.bytes.length - outHeader.bytes);
    if (offset >= text.length || room <= 0) return this.#finish(unique, 0, 0);
    const part = offset === 0 && text.length <= room ? text : text.slice(offset, offset + room);
    this.bytes.write(part, outHeader.bytes, part.length, "latin1");
    return this.#finish(unique, 0, part.length);
  }

  /** Structures that the caller has put behind the header with `u32` and `u64`. */
  body(unique: number, bytes: number): this {
    return this.#finish(unique, 0, bytes);
  }

  clear(bytes: number): this {
    this.bytes.fill(0, outHeader.bytes, outHeader.bytes + bytes);
    return this;
  }

  u32(at: number, value: number): this {
    this.view.setUint32(outHeader.bytes + at, value, true);
    return this;
  }

  u64(at: number, value: number): this {
    this.view.setUint32(outHeader.bytes + at, value >>> 0, true);
    this.view.setUint32(outHeader.bytes + at + 4, Math.floor(value / high), true);
    return this;
  }

  /** One entry of a listing at `at`; the bytes it took, or 0 if it does not fit into `limit`. */
  directoryEntry(at: number, limit: number, ino: number, next: number, name: string, type: number): number {
    const bytes = (directoryEntry.bytes + name.length + 7) & ~7;
    if (at + bytes > limit || outHeader.bytes + at + bytes > this.bytes.length) return 0;
    const start = outHeader.bytes + at;
    this.bytes.fill(0, start, start + bytes);
    this.u64(at + directoryEntry.at.ino, ino);
    this.u64(at + directoryEntry.at.off, next);
    this.u32(at + directoryEntry.at.namelen, name.length);
    this.u32(at + directoryEntry.at.type, type);
    this.bytes.write(name, start + directoryEntry.bytes, name.length, "latin1");
    return bytes;
  }

  #finish(unique: number, error: number, bodyBytes: number): this {
    this.length = outHeader.bytes + bodyBytes;
    this.view.setUint32(outHeader.at.len, this.length, true);
    this.view.setInt32(outHeader.at.error, error, true);
    this.view.setUint32(outHeader.at.unique, unique >>> 0, true);
    this.view.setUint32(outHeader.at.unique + 4, Math.floor(unique / high), true);
    return this;
  }
}
