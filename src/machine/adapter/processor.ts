/**
 * What an adapter does with a message: a separate part, so that a queue knows only bytes. A processor answers once by `reply`,
 * in the same turn or later; an answer to a queue that was reset since is dropped by the queue.
 */
export interface AdapterRequest {
  readonly adapter: number;
  readonly domain: number;
  /** The message as NQAP took it. */
  readonly message: Uint8Array;
  /** The special-command bit of NQAP's general register 0. */
  readonly isSpecial: boolean;
}

export type AdapterProcessor = (request: AdapterRequest, reply: (message: Uint8Array) => void) => void;

const errorReplyType = 0x82;
const invalidCommand = 0x30;

/** An error reply: type 0x82 with a code. Source: Linux drivers/s390/crypto/zcrypt_error.h, struct error_hdr. */
export const errorReply = (code: number): Uint8Array => Uint8Array.of(0, errorReplyType, 0, 0, code, 0, 0, 0);

/** Refuses every message as a command that the adapter does not know. */
export const refusingProcessor: AdapterProcessor = (_request, reply) => reply(errorReply(invalidCommand));

/** Takes every message and never replies, as the machine behind the recorded traces does. */
export const silentProcessor: AdapterProcessor = () => {};
