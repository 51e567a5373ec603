import type { QueueEpoch } from "../../queue-epoch.ts";
import type { ReplyCode } from "../error-reply.ts";
import type { Type6Request } from "./type6-request.ts";
import type { VerbResult } from "./type86-reply.ts";

export interface VerbRequest extends Type6Request {
  readonly adapter: number;
  readonly epoch: QueueEpoch;
}

/** One function of a CCA coprocessor; calls `done` once, in the same turn or later, with a code where the adapter itself failed. */
export type Verb = (request: VerbRequest, done: (result: VerbResult | ReplyCode) => void) => void;

/** A verb whose work is short. */
export const quickVerb =
  (resultOf: (request: VerbRequest) => VerbResult): Verb =>
  (request, done) =>
    done(resultOf(request));
