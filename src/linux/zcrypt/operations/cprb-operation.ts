import type { Mask } from "../../../ap/mask.ts";
import { fail } from "../../../sysfs/errno.ts";
import { anyDomain, cprbx, type6Header, type86Header } from "../messages/type6-layout.ts";
import { multipleOfFour, type6Message } from "../messages/type6-message.ts";
import type { Operation } from "../operation.ts";
import { type CprbResult, resultOfCprb } from "../replies/type86-reply.ts";
import { ccaFactor, speedRating } from "../speed-ratings.ts";

/**
 * A control block of the program's own for a CCA coprocessor, with data. The domain in it says which queue, 0xffff any; a domain that
 * is only a control domain is reached by any queue. Source: Linux drivers/s390/crypto/zcrypt_api.c, _zcrypt_send_cprb; zcrypt_msgtype6.c,
 * xcrb_msg_to_type6cprb_msgx, zcrypt_msgtype6_send_cprb; arch/s390/include/uapi/asm/zcrypt.h, struct ica_xcRB.
 */
export interface CprbRequest {
  readonly agent: string;
  /** A card's number; any card without it. */
  readonly card?: number | undefined;
  readonly control: Uint8Array;
  readonly data?: Uint8Array | undefined;
  readonly replyControlBytes: number;
  readonly replyDataBytes?: number | undefined;
}

export interface CprbLimits {
  /** Greatest message of any card. */
  readonly messageBytes: number;
  readonly usageDomains: Mask;
  readonly controlDomains: Mask;
}

const specialVerbs: readonly string[] = ["US", "AU"];
const administrativeIds: readonly string[] = ["T3", "T5", "T6", "T7"];
const domains = 256;

export function cprbOperation(request: CprbRequest, limits: CprbLimits): Operation<CprbResult> {
  const { control, data = new Uint8Array(0), replyControlBytes, replyDataBytes = 0 } = request;
  const messageBytes = type6Header.bytes + multipleOfFour(control.length) + data.length;
  if (control.length < cprbx.bytes || replyControlBytes < cprbx.bytes || messageBytes > limits.messageBytes) fail("EINVAL");
  const view = new DataView(control.buffer, control.byteOffset, control.length);
  const verbOffset = view.getUint16(cprbx.length);
  if (verbOffset > multipleOfFour(control.length) - 2) fail("EINVAL");
  const functionCode = Buffer.alloc(2);
  functionCode.set(control.subarray(verbOffset, verbOffset + 2));
  const verb = functionCode.toString("latin1");
  const domain = targetDomain(view.getUint16(cprbx.domain), limits);
  return {
    isAdministrative: administrativeIds.includes(String.fromCharCode(control[cprbx.functionId]!, control[cprbx.functionId + 1]!)),
    weightOn({ mode, typeName, card }) {
      if (mode !== "cca" || (request.card !== undefined && request.card !== card.id)) return undefined;
      return messageBytes > card.maxMessageBytes ? undefined : ccaFactor(verb) * speedRating(typeName, "secureKey");
    },
    fits: ({ queue }) => domain === anyDomain || domain === queue.domain,
    messageFor({ queue: { queue } }) {
      const block = Buffer.from(control);
      block.writeUInt16BE(queue.domain, cprbx.domain);
      const room = replyRoom(replyControlBytes, replyDataBytes, queue.card.maxMessageBytes - type86Header.bytes);
      const bytes = type6Message({ agent: request.agent, functionCode, block, data, ...room });
      return { bytes, isSpecial: specialVerbs.includes(verb) };
    },
    resultOf: (reply) => resultOfCprb(reply, { controlBytes: replyControlBytes, dataBytes: replyDataBytes }),
  };
}

function targetDomain(domain: number, { usageDomains, controlDomains }: CprbLimits): number {
  const isControlOnly = domain < domains && !usageDomains.has(domain) && controlDomains.has(domain);
  return isControlOnly ? anyDomain : domain;
}

/** What the adapter may send back: no more than fits, and of two parts the control block is the one that is cut. */
function replyRoom(controlBytes: number, dataBytes: number, most: number): { replyBytes: number; replyDataBytes: number } {
  const replyDataBytes = Math.min(dataBytes, most);
  return { replyBytes: Math.min(controlBytes, most, most - replyDataBytes), replyDataBytes };
}
