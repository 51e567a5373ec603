import { coprocessorError, ReplyCode } from "../error-reply.ts";
import { type Ep11Request, ep11CprbBytes } from "./ep11-request.ts";
import { writeOctetStrings } from "./octet-strings.ts";
import { ReturnValue } from "./return-value.ts";

/**
 * A reply of type 86: header, format 2 extension, CPRB, payload of call, domain, return value and what the function gives. Linux
 * takes it only if it ends where the CPRB part ends, and looks for the first value that the function gives at a fixed place.
 * Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, zcrypt_msgtype6_receive_ep11; zcrypt_ep11misc.c, struct ep11_info_rep_pl.
 */
export function ep11Reply(request: Ep11Request, returnValue: ReturnValue, values: readonly Uint8Array[] = []): Uint8Array {
  const payload = writeOctetStrings([request.call, request.domain, returnValue, ...values]);
  const blockBytes = ep11CprbBytes + payload.length;
  if (blockBytes > request.maxReplyBytes) {
    return values.length > 0 ? ep11Reply(request, ReturnValue.transportLimit) : coprocessorError(ReplyCode.packetTruncated);
  }
  const reply = new Uint8Array(headerBytes + blockBytes);
  const view = new DataView(reply.buffer);
  reply[header.type] = type86;
  reply[header.format] = cprbFormat;
  view.setUint32(header.count1, blockBytes);
  view.setUint32(header.offset1, headerBytes);

  reply.set(request.cprb, headerBytes);
  view.setUint32(headerBytes + cprbFields.returnCode, 0);
  view.setUint32(headerBytes + cprbFields.payloadBytes, payload.length);
  reply.set(payload, headerBytes + ep11CprbBytes);
  return reply;
}

const type86 = 0x86;
const cprbFormat = 2;
const headerBytes = 48;
const header = { type: 1, format: 2, count1: 16, offset1: 20 } as const;
const cprbFields = { returnCode: 16, payloadBytes: 28 } as const;
