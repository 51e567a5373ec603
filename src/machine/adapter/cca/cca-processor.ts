import type { AsymmetricEngine } from "../asymmetric/asymmetric-task.ts";
import { coprocessorError, ReplyCode } from "../error-reply.ts";
import type { AdapterProcessor } from "../processor.ts";
import { randomVerb } from "./random-verb.ts";
import { Reason } from "./reason-codes.ts";
import { privateKeyVerb, publicKeyVerb } from "./rsa-verbs.ts";
import { readType6 } from "./type6-request.ts";
import { failure, type86Reply } from "./type86-reply.ts";
import type { Verb } from "./verb.ts";

/**
 * A CCA coprocessor: requests of type 6 by their verb, answered with type 86. What is wrong with the envelope is an error of type 82,
 * what is wrong inside it a return and a reason code. A verb that is not in the table is one the caller may not use.
 */
export function ccaProcessor(engine: AsymmetricEngine): AdapterProcessor {
  const verbs: ReadonlyMap<string, Verb> = new Map([
    ["PK", publicKeyVerb(engine)],
    ["PD", privateKeyVerb(engine)],
    ["RL", randomVerb],
  ]);
  return ({ message, domain }, reply) => {
    const request = readType6(message);
    if (typeof request === "number") return reply(coprocessorError(request));
    // A request to use keys names the domain whose queue it came by.
    if (request.isUsage && request.domain !== domain) return reply(coprocessorError(ReplyCode.invalidDomain));
    const verb = request.isUsage ? verbs.get(request.verb) : undefined;
    if (!verb) return reply(type86Reply(request, failure(Reason.notAuthorized)));
    verb(request, (result) => reply(type86Reply(request, result)));
  };
}
