import { invalidateEntryOut, invalidateInodeOut, maximumName, notification, outHeader, retrieveOut } from "./abi.ts";

const high = 0x1_0000_0000;
const initialBytes = 4096;

/**
 * Messages to the device, one after the other; each begins with its own length, so whoever sends them can tell them apart.
 * A batch of one input: its notifications first, then its replies.
 */
export class Messages {
  #bytes = Buffer.from(new ArrayBuffer(initialBytes));
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Makes the kernel drop the attributes and all data of an inode: text, listing or link. */
  invalidateInode(nodeId: number): void {
    const at = this.#notification(notification.invalidateInode, invalidateInodeOut.bytes);
    this.#u64(at + invalidateInodeOut.at.ino, nodeId);
    this.#u64(at + invalidateInodeOut.at.off, 0);
    this.#u64(at + invalidateInodeOut.at.len, 0);
  }

  /** Makes the kernel drop a name, and everything below it that is not in use. */
  invalidateEntry(directoryId: number, name: string): void {
    if (name.length > maximumName) return;
    const at = this.#notification(notification.invalidateEntry, invalidateEntryOut.bytes + name.length + 1);
    this.#u64(at + invalidateEntryOut.at.parent, directoryId);
    this.#view.setUint32(at + invalidateEntryOut.at.namelen, name.length, true);
    this.#view.setUint32(at + invalidateEntryOut.at.flags, 0, true);
    this.#bytes.write(name, at + invalidateEntryOut.bytes, name.length, "latin1");
    this.#bytes[at + invalidateEntryOut.bytes + name.length] = 0;
  }

  /** Makes the kernel answer with a NOTIFY_REPLY of that number and no data, in the queue of requests. */
  retrieve(nodeId: number, unique: number): void {
    const at = this.#notification(notification.retrieve, retrieveOut.bytes);
    this.#u64(at + retrieveOut.at.notifyUnique, unique);
    this.#u64(at + retrieveOut.at.nodeid, nodeId);
    this.#u64(at + retrieveOut.at.offset, 0);
    this.#u64(at + retrieveOut.at.size, 0);
  }

  append(message: Uint8Array, length: number): void {
    this.#reserve(length);
    this.#bytes.set(message.subarray(0, length), this.#length);
    this.#length += length;
  }

  /** A copy of all that was put in; it is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#length);
    taken.set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #notification(code: number, bodyBytes: number): number {
    const length = outHeader.bytes + bodyBytes;
    this.#reserve(length);
    const at = this.#length;
    this.#view.setUint32(at + outHeader.at.len, length, true);
    this.#view.setInt32(at + outHeader.at.error, code, true);
    this.#u64(at + outHeader.at.unique, 0);
    this.#length += length;
    return at + outHeader.bytes;
  }

  #u64(at: number, value: number): void {
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(value / high), true);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.from(new ArrayBuffer(2 * (this.#length + bytes)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Calls `send` for each message of a batch, with the part of `batch` that it is. */
export function forEachMessage(batch: Uint8Array<ArrayBuffer>, send: (message: Uint8Array<ArrayBuffer>) => void): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  for (let at = 0; at + outHeader.bytes <= batch.length; ) {
    const length = view.getUint32(at, true);
    if (length < outHeader.bytes || at + length > batch.length) return;
    send(batch.subarray(at, at + length));
    at += length;
  }
}
