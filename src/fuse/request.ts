import { inHeader } from "./abi.ts";

const high = 0x1_0000_0000;

/**
 * One request as it was read from the device, in a buffer that is used again for the next one. Nothing is trusted: `accept`
 * checks the header against the bytes that came, `has` and `name` are the only way past a body's fixed part, and a number is
 * read only after `has` said that it is there. 64-bit numbers are JavaScript numbers: node numbers, handles and counts are ours
 * or the kernel's counters and stay below 2^53; a larger one matches nothing.
 */
export class Request {
  readonly bytes: Buffer;
  readonly #view: DataView;
  opcode = 0;
  unique = 0;
  nodeId = 0;
  pid = 0;
  /** Bytes behind the header. */
  bodyBytes = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity));
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Takes the first `length` bytes of the buffer as a request; false if that is none. */
  accept(length: number): boolean {
    const view = this.#view;
    if (length < inHeader.bytes || view.getUint32(inHeader.at.len, true) !== length) return false;
    this.opcode = view.getUint32(inHeader.at.opcode, true);
    this.unique = this.#u64(inHeader.at.unique);
    this.nodeId = this.#u64(inHeader.at.nodeid);
    this.pid = view.getUint32(inHeader.at.pid, true);
    this.bodyBytes = length - inHeader.bytes;
    return true;
  }

  has(bytes: number): boolean {
    return this.bodyBytes >= bytes;
  }

  /** The number `at` bytes into the body. */
  u32(at: number): number {
    return this.#view.getUint32(inHeader.bytes + at, true);
  }

  u64(at: number): number {
    return this.#u64(inHeader.bytes + at);
  }

  /** The name that starts `at` bytes into the body and ends with NUL; undefined if it is empty or does not end. */
  name(at = 0): string | undefined {
    const start = inHeader.bytes + at;
    const limit = inHeader.bytes + this.bodyBytes;
    let end = start;
    while (end < limit && this.bytes[end] !== 0) end++;
    return end < limit && end > start ? this.bytes.toString("latin1", start, end) : undefined;
  }

  /** `count` bytes of the body from `at`, one character each; the caller has asked `has`. */
  text(at: number, count: number): string {
    return this.bytes.toString("latin1", inHeader.bytes + at, inHeader.bytes + at + count);
  }

  #u64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * high;
  }
}
