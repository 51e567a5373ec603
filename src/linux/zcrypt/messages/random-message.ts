import { type6Header } from "./type6-layout.ts";
import { cprbxBlock, type6Message } from "./type6-message.ts";

/** How many random bytes one request of the kernel asks for. */
export const randomBytesAsked = 4096;

/** The verb RL. Source: Linux drivers/s390/crypto/zcrypt_msgtype6.c, rng_type6cprb_msgx. */
export function randomMessage(domain: number): Buffer {
  const parameters = Buffer.concat([Buffer.from("RL"), Buffer.of(0, 10), Buffer.from("RANDOM  "), Buffer.of(0, 2, 0, 2)]);
  const messageBytes = 324;
  const replyBlockBytes = messageBytes - type6Header.bytes;
  const block = cprbxBlock({ domain, parameters, replyBlockBytes, replyDataBytes: randomBytesAsked });
  return type6Message({ agent: "CA", functionCode: parameters, block, replyBytes: replyBlockBytes, replyDataBytes: randomBytesAsked });
}
