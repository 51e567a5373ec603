/**
 * Frames of the GDB remote protocol: `$` text `#` two hex digits of the sum of its bytes, each acknowledged by `+` or refused by `-`.
 * Source: the GDB manual, "Remote Serial Protocol".
 */
export function encodePacket(text: string): string {
  return `$${text}#${checksum(text)}`;
}

/** What a stub sends: a packet's text, or an answer to ours. */
export type StubInput = { readonly packet: string } | "accepted" | "refused" | "damaged";

/** More than any reply of a stub whose packets have 4 KiB; a stub that sends more in one frame is none. */
const maxPacketBytes = 64 * 1024;

/** Takes bytes in pieces of any size. Throws an Error for what can be no frame. */
export class PacketReader {
  #rest = "";

  *take(bytes: Buffer): Generator<StubInput> {
    this.#rest += bytes.toString("latin1");
    for (;;) {
      const input = this.#next();
      if (input === undefined) break;
      yield input;
    }
    if (this.#rest.length > maxPacketBytes) throw new Error(`a gdb stub sent ${this.#rest.length} bytes without an end of the packet`);
  }

  #next(): StubInput | undefined {
    const [first] = this.#rest;
    if (first === undefined) return undefined;
    if (first === "+" || first === "-") {
      this.#rest = this.#rest.slice(1);
      return first === "+" ? "accepted" : "refused";
    }
    if (first !== "$") throw new Error(`a gdb stub sent ${JSON.stringify(this.#rest.slice(0, 16))} where a packet starts`);
    const end = this.#rest.indexOf("#");
    if (end < 0 || this.#rest.length < end + 3) return undefined;
    const text = this.#rest.slice(1, end);
    const sum = this.#rest.slice(end + 1, end + 3);
    this.#rest = this.#rest.slice(end + 3);
    return sum.toLowerCase() === checksum(text) ? { packet: text } : "damaged";
  }
}

function checksum(text: string): string {
  let sum = 0;
  for (let index = 0; index < text.length; index++) sum += text.charCodeAt(index);
  return (sum & 0xff).toString(16).padStart(2, "0");
}
