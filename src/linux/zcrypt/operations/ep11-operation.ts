import { fail } from "../../../sysfs/errno.ts";
import { leastPayloadBytes, readEp11Payload } from "../messages/ep11-payload.ts";
import { anyDomain, ep11Cprb, type6Header, type86Header } from "../messages/type6-layout.ts";
import { multipleOfFour, type6Message } from "../messages/type6-message.ts";
import type { Operation } from "../operation.ts";
import { resultOfEp11 } from "../replies/type86-reply.ts";
import { ep11Factor, speedRating } from "../speed-ratings.ts";

/**
 * A control block with payload for an EP11 coprocessor. Where it goes is a list of targets, empty for any; a request that is not
 * administrative is told the domain of its queue in both. Source: Linux drivers/s390/crypto/zcrypt_api.c, _zcrypt_send_ep11_cprb;
 * zcrypt_msgtype6.c, xcrb_msg_to_type6_ep11cprb_msgx; arch/s390/include/uapi/asm/zcrypt.h, struct ep11_urb.
 */
export interface Ep11Request {
  readonly targets: readonly { readonly card: number; readonly domain: number }[];
  readonly request: Uint8Array;
  readonly replyBytes: number;
}

const flags = { administrative: 0x80, special: 0x20 } as const;

export function ep11Operation({ targets, request, replyBytes }: Ep11Request, mostMessageBytes: number): Operation<Uint8Array> {
  const messageBytes = type6Header.bytes + multipleOfFour(request.length);
  if (request.length < ep11Cprb.bytes + leastPayloadBytes || messageBytes > mostMessageBytes) fail("EINVAL");
  if (replyBytes < ep11Cprb.bytes) fail("EINVAL");
  const view = new DataView(request.buffer, request.byteOffset, request.length);
  const payload = request.subarray(ep11Cprb.bytes);
  if (view.getUint32(ep11Cprb.payloadBytes) !== payload.length) fail("EINVAL");
  const { functionNumber, findDomain } = readEp11Payload(payload);
  const isAdministrative = (view.getUint8(ep11Cprb.flags) & flags.administrative) !== 0;
  const isSpecial = (view.getUint8(ep11Cprb.flags) & flags.special) !== 0;
  return {
    isAdministrative,
    weightOn({ mode, typeName, card }) {
      const isMeant = targets.length === 0 || targets.some((target) => target.card === card.id);
      if (mode !== "ep11" || !isMeant || messageBytes > card.maxMessageBytes) return undefined;
      return ep11Factor(functionNumber) * speedRating(typeName, "secureKey");
    },
    fits: ({ queue }) =>
      targets.length === 0 ||
      targets.some(({ card, domain }) => card === queue.adapter && (domain === anyDomain || domain === queue.domain)),
    messageFor({ queue: { queue } }) {
      const block = Buffer.from(request);
      if (!isAdministrative) {
        block.writeUInt32BE(queue.domain, ep11Cprb.target);
        const domainValue = findDomain();
        if (domainValue) block.writeUIntBE(queue.domain, ep11Cprb.bytes + domainValue.offset, domainValue.bytes);
      }
      const parts = { agent: "XC", requestId: 1, functionCode: Buffer.alloc(2), block, data: Buffer.alloc(0) };
      return { bytes: type6Message({ ...parts, replyBytes: queue.card.maxMessageBytes - type86Header.bytes }), isSpecial };
    },
    resultOf: (reply) => resultOfEp11(reply, replyBytes),
  };
}
