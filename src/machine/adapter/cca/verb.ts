import type { Type6Request } from "./type6-request.ts";
import type { VerbResult } from "./type86-reply.ts";

/** One function of a CCA coprocessor; calls `done` once, in the same turn or later. */
export type Verb = (request: Type6Request, done: (result: VerbResult) => void) => void;
