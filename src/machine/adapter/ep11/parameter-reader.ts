import { ReturnValue, refuse } from "./return-value.ts";

/** Takes the values behind function and domain off a request, in order; a value that is not there or not of its kind is refused. */
export class ParameterReader {
  #next = 0;

  constructor(private readonly values: readonly Uint8Array[]) {}

  bytes(): Uint8Array {
    return this.values[this.#next++] ?? refuse(ReturnValue.argumentsBad);
  }

  number(): number {
    return numberOf(this.bytes()) ?? refuse(ReturnValue.argumentsBad);
  }

  /** The form of a call: only the plain one is known, not size queries and several data in one request. */
  plainVariant(): void {
    if (this.number() !== 0) refuse(ReturnValue.functionNotSupported);
  }

  /** A value that has to be there without content. */
  empty(): void {
    if (this.bytes().length > 0) refuse(ReturnValue.argumentsBad);
  }

  /** A login session: there are none, so nothing or only zeros, as Linux sends in a guest of Secure Execution. */
  noSession(): void {
    if (this.bytes().some((byte) => byte !== 0)) refuse(ReturnValue.sessionClosed);
  }

  end(): void {
    if (this.#next !== this.values.length) refuse(ReturnValue.argumentsBad);
  }
}

/** A value of four bytes as a number. */
export function numberOf(value: Uint8Array | undefined): number | undefined {
  return value?.length === 4 ? new DataView(value.buffer, value.byteOffset, 4).getUint32(0) : undefined;
}
