import { checkPreface, type Frame, frameHeadLayout, prefaceLayout, readFrameHead } from "./frame.ts";

/**
 * Cuts frames out of bytes that come in pieces of any size. It keeps one unfinished frame at most, and none that is longer than its type
 * may be. Throws StreamError.
 */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;
  #hasPreface = false;

  *feed(piece: Buffer): Generator<Frame> {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (!this.#hasPreface) {
      if (this.#length < prefaceLayout.length) return;
      checkPreface(this.#take(prefaceLayout.length));
      this.#hasPreface = true;
    }
    while (this.#length >= frameHeadLayout.bytes) {
      const { type, length } = readFrameHead(this.#peek(frameHeadLayout.bytes));
      if (this.#length < frameHeadLayout.bytes + length) return;
      this.#take(frameHeadLayout.bytes);
      yield { type, bytes: this.#take(length) };
    }
  }

  #peek(length: number): Buffer {
    const [first] = this.#pieces;
    if (first && first.length >= length) return first.subarray(0, length);
    this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!.subarray(0, length);
  }

  #take(length: number): Buffer {
    const taken = this.#peek(length);
    const [first, ...others] = this.#pieces;
    const rest = first?.subarray(length);
    this.#pieces = rest && rest.length > 0 ? [rest, ...others] : others;
    this.#length -= length;
    return taken;
  }
}
