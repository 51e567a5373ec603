import type { DomainMasks } from "../../ap/platform.ts";
import type { AdapterProfile } from "../adapter-profile.ts";
import type { QueueEpoch } from "../queue-epoch.ts";
import { coprocessorError, ReplyCode } from "./error-reply.ts";

/**
 * What an adapter does with a message: a separate part, so that a queue knows only bytes. A processor answers once by `reply`,
 * in the same turn or later; an answer to a queue that was reset since is dropped by the queue. A request comes with the domains
 * that its sender may use and control: they are the LPAR's, for a guest those of them that its masks have.
 */
export interface AdapterRequest extends DomainMasks {
  readonly adapter: number;
  readonly domain: number;
  readonly profile: AdapterProfile;
  /** The message as NQAP took it. */
  readonly message: Uint8Array;
  /** The special-command bit of NQAP's general register 0. */
  readonly isSpecial: boolean;
  /** Of the queue: what is kept of the message must not outlive it. */
  readonly epoch: QueueEpoch;
}

export type AdapterProcessor = (request: AdapterRequest, reply: (message: Uint8Array) => void) => void;

/** Refuses every message as a command that the adapter does not know. */
export const refusingProcessor: AdapterProcessor = (_request, reply) => reply(coprocessorError(ReplyCode.invalidCommand));

/** Takes every message and never replies, as the machine behind the recorded traces does. */
export const silentProcessor: AdapterProcessor = () => {};
