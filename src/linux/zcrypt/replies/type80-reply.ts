import { fail } from "../../../sysfs/errno.ts";
import { errorOf, replyType, replyTypes } from "./error-reply.ts";
import { MalformedReply, unknownType } from "./malformed-reply.ts";

/**
 * The reply of an accelerator: the result is at its end. It must have the length that it says; one above the greatest stops the kernel
 * and is a wrong length here. Source: Linux drivers/s390/crypto/zcrypt_msgtype50.c, zcrypt_msgtype50_receive, convert_type80.
 */
const header = { bytes: 16, length: 2, code: 4 } as const;
const mostBytes = 0x210;

/** EAGAIN, EINVAL, EMSGSIZE. */
export function resultOfType80(reply: Uint8Array, resultBytes: number): Uint8Array {
  const type = replyType(reply);
  if (type === replyTypes.coprocessorError || type === replyTypes.acceleratorError) throw errorOf(reply);
  if (type !== replyTypes.accelerator) throw unknownType(reply);
  const length = ((reply[header.length] ?? 0) << 8) | (reply[header.length + 1] ?? 0);
  if (length !== reply.length || length > mostBytes) fail("EMSGSIZE");
  if (length < header.bytes + resultBytes) {
    throw new MalformedReply(`code=0x${(reply[header.code] ?? 0).toString(16).padStart(2, "0")} =>`);
  }
  return reply.slice(length - resultBytes);
}
