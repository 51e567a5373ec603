import { fail } from "../../../sysfs/errno.ts";
import { icaMessage } from "../messages/ica-message.ts";
import type { RsaRequest } from "../messages/rsa-request.ts";
import { type50Message } from "../messages/type50-message.ts";
import type { Operation } from "../operation.ts";
import { resultOfType80 } from "../replies/type80-reply.ts";
import { resultOfIca } from "../replies/type86-reply.ts";
import { type RatedOperation, speedRating } from "../speed-ratings.ts";

/**
 * RSA by an accelerator or a CCA coprocessor. Which cards can do it follows from the length of the input; one without any is EINVAL.
 * Source: Linux drivers/s390/crypto/zcrypt_api.c, zcrypt_rsa_modexpo, zcrypt_rsa_crt.
 */
export function rsaOperation(request: RsaRequest): Operation<Uint8Array> {
  const bytes = request.input.length;
  if (bytes === 0) fail("EINVAL");
  const rated = ratedOperation(request);
  return {
    isAdministrative: false,
    weightOn({ modulusBytes, typeName }) {
      if (!modulusBytes) return undefined;
      const [least, greatest] = modulusBytes;
      return bytes >= least && bytes <= greatest ? speedRating(typeName, rated) : undefined;
    },
    fits: () => true,
    messageFor({ card, queue }) {
      if (card.mode === "cca") return { bytes: icaMessage(request, queue.queue.domain), isSpecial: false };
      return { bytes: type50Message(request, card.modulusBytes?.[1] ?? 0), isSpecial: false };
    },
    resultOf: (reply, { card }) => (card.mode === "cca" ? resultOfIca(reply, bytes) : resultOfType80(reply, bytes)),
  };
}

function ratedOperation(request: RsaRequest): RatedOperation {
  const kind = "modulus" in request ? "me" : "crt";
  const bytes = request.input.length;
  if (bytes <= 128) return `${kind}1k`;
  return bytes <= 256 ? `${kind}2k` : `${kind}4k`;
}
