import { fail } from "../../../sysfs/errno.ts";

/**
 * The payload of an EP11 request: one sequence of values, each a tag 4, a length and bytes; the first is the function, the second the
 * domain. Lengths are one byte below 128, or 0x81, 0x82 or 0x84 and that many bytes with the low digit's count.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, xcrb_msg_to_type6_ep11cprb_msgx, zcrypt_msgtype6_send_ep11_cprb.
 */
export interface Ep11Payload {
  /** The low half of the function's value. */
  readonly functionNumber: number;
  /** Where the domain's value is; undefined when the payload has none. EINVAL. */
  readonly findDomain: () => { readonly offset: number; readonly bytes: 1 | 2 | 4 } | undefined;
}

export const leastPayloadBytes = 5;
const tags = { sequence: 0x30, value: 0x04 } as const;

/** EINVAL. */
export function readEp11Payload(payload: Uint8Array): Ep11Payload {
  let offset = 0;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const length = (): number => {
    const first = payload[offset++] ?? fail("EINVAL");
    if (first < 0x80) return first;
    const bytes = integerBytes(first & 0x7f);
    if (offset + bytes > payload.length) fail("EINVAL");
    offset += bytes;
    return integerAt(view, offset - bytes, bytes);
  };
  /** Leaves `offset` at the first byte of what the tag holds. */
  const header = (tag: number): number => {
    if (payload[offset++] !== tag) fail("EINVAL");
    const size = length();
    if (offset >= payload.length || size > payload.length - offset) fail("EINVAL");
    return size;
  };
  header(tags.sequence);
  const functionBytes = integerBytes(header(tags.value));
  const functionNumber = integerAt(view, offset, functionBytes) & 0xffff;
  offset += functionBytes;
  const functionEnd = offset;
  const findDomain = (): { offset: number; bytes: 1 | 2 | 4 } | undefined => {
    offset = functionEnd;
    if (payload.length - offset < 3) return undefined;
    const bytes = integerBytes(header(tags.value));
    return { offset, bytes };
  };
  return { functionNumber, findDomain };
}

const integerBytes = (bytes: number): 1 | 2 | 4 => (bytes === 1 || bytes === 2 || bytes === 4 ? bytes : fail("EINVAL"));

function integerAt(view: DataView, offset: number, bytes: 1 | 2 | 4): number {
  if (bytes === 1) return view.getUint8(offset);
  return bytes === 2 ? view.getUint16(offset) : view.getUint32(offset);
}
