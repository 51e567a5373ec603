import { Errno } from "../../../sysfs/errno.ts";

/**
 * What the code of an error reply ends a request with. An unknown one is worth another try.
 * Source: Linux drivers/s390/crypto/zcrypt_error.h, convert_error.
 */
export const replyTypes = {
  accelerator: 0x80,
  coprocessorError: 0x82,
  coprocessor: 0x86,
  ep11Error: 0x87,
  acceleratorError: 0x88,
} as const;

const typeOffset = 1;
const codeOffset = 4;

const invalidCodes: ReadonlySet<number> = new Set([
  ...[0x22, 0x23, 0x24, 0x29, 0x34, 0x40, 0x41],
  ...[0x80, 0x82, 0x84, 0x85, 0x8a, 0x8b, 0xa0],
]);

export const replyType = (reply: Uint8Array): number => reply[typeOffset] ?? 0;
export const replyCode = (reply: Uint8Array): number => reply[codeOffset] ?? 0;

export const errorOf = (reply: Uint8Array): Errno => new Errno(invalidCodes.has(replyCode(reply)) ? "EINVAL" : "EAGAIN");
