import { randomBytesAsked, randomMessage } from "../messages/random-message.ts";
import type { Operation } from "../operation.ts";
import { resultOfRandom } from "../replies/type86-reply.ts";
import { speedRating } from "../speed-ratings.ts";

/** Random bytes of a CCA coprocessor, as many as a request asks for. Source: Linux drivers/s390/crypto/zcrypt_api.c, zcrypt_rng. */
export const randomOperation: Operation<Uint8Array> = {
  isAdministrative: false,
  weightOn: ({ mode, typeName }) => (mode === "cca" ? speedRating(typeName, "random") : undefined),
  fits: () => true,
  messageFor: ({ queue }) => ({ bytes: randomMessage(queue.queue.domain), isSpecial: false }),
  resultOf: (reply) => resultOfRandom(reply, randomBytesAsked),
};
