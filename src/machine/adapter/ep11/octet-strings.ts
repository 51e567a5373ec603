/**
 * The payload of EP11 messages: one sequence of octet strings, in a DER whose lengths need not be the shortest. Linux writes the
 * sequence with a length of two bytes always and expects it, and the data of replies, so.
 * Source: Linux drivers/s390/crypto/zcrypt_ep11misc.c, struct pl_head, asn1tag_write and check_reply_pl.
 */
export function readOctetStrings(payload: Uint8Array): readonly Uint8Array[] | undefined {
  const sequence = elementAt(payload, 0, Tag.sequence);
  if (!sequence || sequence.end !== payload.length) return undefined;
  const values: Uint8Array[] = [];
  for (let at = sequence.start; at < payload.length; ) {
    const value = elementAt(payload, at, Tag.octetString);
    if (!value || values.length === maxValues) return undefined;
    values.push(payload.subarray(value.start, value.end));
    at = value.end;
  }
  return values;
}

/** Numbers become four bytes behind a length of one; other values, and the sequence, have the length of two bytes. */
export function writeOctetStrings(values: readonly (number | Uint8Array)[]): Uint8Array {
  const parts = values.map((value) => (typeof value === "number" ? numberElement(value) : longElement(Tag.octetString, value)));
  return longElement(Tag.sequence, Buffer.concat(parts));
}

/** Against payloads that are all headers; the longest request that is known has eight values. */
const maxValues = 16;

const Tag = { octetString: 0x04, sequence: 0x30 } as const;
const LengthForm = { oneByte: 0x81, twoBytes: 0x82 } as const;

/** Where the content of the element at `at` is; undefined unless it has this tag and lies within the bytes. */
function elementAt(bytes: Uint8Array, at: number, tag: number): { start: number; end: number } | undefined {
  if (at + 2 > bytes.length || bytes[at] !== tag) return undefined;
  const form = bytes[at + 1]!;
  const lengthBytes = form < 0x80 ? 0 : form === LengthForm.oneByte ? 1 : form === LengthForm.twoBytes ? 2 : undefined;
  if (lengthBytes === undefined) return undefined;
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? form : bytes.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return start + length <= bytes.length ? { start, end: start + length } : undefined;
}

function numberElement(value: number): Uint8Array {
  const element = Buffer.from([Tag.octetString, 4, 0, 0, 0, 0]);
  element.writeUInt32BE(value, 2);
  return element;
}

function longElement(tag: number, value: Uint8Array): Uint8Array {
  const head = Buffer.from([tag, LengthForm.twoBytes, 0, 0]);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}
