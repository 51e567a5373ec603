/**
 * A set of numbers 0..255 as the AP architecture holds it: a 256-bit string, bit 0 leftmost.
 *
 * Values are immutable. Stored as eight 32-bit words; word 0 holds bits 0..31, bit 0 in its most
 * significant place. Only this file knows that.
 */
export class Mask {
  static readonly bits = 256;
  static readonly none = new Mask(new Uint32Array(8));
  static readonly all = new Mask(new Uint32Array(8).fill(0xffffffff));

  readonly #words: Uint32Array;

  private constructor(words: Uint32Array) {
    this.#words = words;
  }

  static of(...bits: number[]): Mask {
    return Mask.from(bits);
  }

  static from(bits: Iterable<number>): Mask {
    const words = new Uint32Array(8);
    for (const bit of bits) {
      if (!Number.isInteger(bit) || bit < 0 || bit >= Mask.bits) throw new RangeError(`bit ${bit} is not in 0..255`);
      words[bit >>> 5]! |= 0x80000000 >>> (bit & 31);
    }
    return new Mask(words);
  }

  /** The numbers first..last, both included; empty when last < first. */
  static range(first: number, last: number): Mask {
    const words = new Uint32Array(8);
    for (let bit = first; bit <= last; bit++) words[bit >>> 5]! |= 0x80000000 >>> (bit & 31);
    return new Mask(words);
  }

  /** Eight words, word 0 first; the array is copied. */
  static fromWords(words: Iterable<number>): Mask {
    const copy = new Uint32Array(8);
    let index = 0;
    for (const word of words) if (index < 8) copy[index++] = word;
    return new Mask(copy);
  }

  /** 32 bytes, big endian, as in a QCI block or an APCB. */
  static fromBytes(bytes: DataView, offset: number): Mask {
    const words = new Uint32Array(8);
    for (let index = 0; index < 8; index++) words[index] = bytes.getUint32(offset + 4 * index);
    return new Mask(words);
  }

  writeTo(bytes: DataView, offset: number): void {
    for (let index = 0; index < 8; index++) bytes.setUint32(offset + 4 * index, this.#words[index]!);
  }

  has(bit: number): boolean {
    return bit >= 0 && bit < Mask.bits && (this.#words[bit >>> 5]! & (0x80000000 >>> (bit & 31))) !== 0;
  }

  with(bit: number): Mask {
    if (this.has(bit)) return this;
    const words = this.#words.slice();
    words[bit >>> 5]! |= 0x80000000 >>> (bit & 31);
    return new Mask(words);
  }

  without(bit: number): Mask {
    if (!this.has(bit)) return this;
    const words = this.#words.slice();
    words[bit >>> 5]! &= ~(0x80000000 >>> (bit & 31));
    return new Mask(words);
  }

  and(other: Mask): Mask {
    const words = new Uint32Array(8);
    for (let index = 0; index < 8; index++) words[index] = this.#words[index]! & other.#words[index]!;
    return new Mask(words);
  }

  or(other: Mask): Mask {
    const words = new Uint32Array(8);
    for (let index = 0; index < 8; index++) words[index] = this.#words[index]! | other.#words[index]!;
    return new Mask(words);
  }

  andNot(other: Mask): Mask {
    const words = new Uint32Array(8);
    for (let index = 0; index < 8; index++) words[index] = this.#words[index]! & ~other.#words[index]!;
    return new Mask(words);
  }

  intersects(other: Mask): boolean {
    for (let index = 0; index < 8; index++) if ((this.#words[index]! & other.#words[index]!) !== 0) return true;
    return false;
  }

  equals(other: Mask): boolean {
    for (let index = 0; index < 8; index++) if (this.#words[index] !== other.#words[index]) return false;
    return true;
  }

  get isEmpty(): boolean {
    for (let index = 0; index < 8; index++) if (this.#words[index] !== 0) return false;
    return true;
  }

  get size(): number {
    let count = 0;
    for (const _ of this) count++;
    return count;
  }

  /** The lowest number in the set, -1 when it is empty. */
  get first(): number {
    for (let index = 0; index < 8; index++) if (this.#words[index] !== 0) return 32 * index + Math.clz32(this.#words[index]!);
    return -1;
  }

  /** The numbers in the set, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < 8; index++) {
      let word = this.#words[index]!;
      while (word !== 0) {
        const bit = Math.clz32(word);
        yield 32 * index + bit;
        word &= ~(0x80000000 >>> bit);
      }
    }
  }

  /** `0x` and 64 lower-case hex digits: how the kernel prints a mask. */
  toString(): string {
    let text = "0x";
    for (const word of this.#words) text += word.toString(16).padStart(8, "0");
    return text;
  }
}
