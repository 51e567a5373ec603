import type { KeyStore } from "../../secrets/key-store.ts";
import type { AsymmetricEngine } from "../asymmetric/asymmetric-task.ts";
import { coprocessorError, ReplyCode } from "../error-reply.ts";
import type { AdapterProcessor, AdapterRequest } from "../processor.ts";
import { generateCipherKeyVerb, importCipherKeyVerb, unwrapCipherKeyVerb } from "./aes-cipher-verbs.ts";
import { generateDataKeyVerb, importDataKeyVerb, unwrapDataKeyVerb } from "./aes-data-verbs.ts";
import { facilityQueryVerb } from "./facility-query-verb.ts";
import { masterKeyVerb } from "./master-key-verb.ts";
import { randomVerb } from "./random-verb.ts";
import { Reason } from "./reason-codes.ts";
import { privateKeyVerb, publicKeyVerb } from "./rsa-verbs.ts";
import { readType6, type Type6Request } from "./type6-request.ts";
import { failure, type86Reply } from "./type86-reply.ts";
import type { Verb } from "./verb.ts";

/**
 * A CCA coprocessor: requests of type 6 by their verb, answered with type 86. What is wrong with the envelope is an error of type 82,
 * what is wrong inside it a return and a reason code. A verb that is not in the table is one the caller may not use.
 */
export interface CcaParts {
  readonly engine: AsymmetricEngine;
  readonly keys: KeyStore;
  /** 32 bytes under which protected keys are. */
  readonly protectionKey: Uint8Array;
  /** Eight characters. */
  readonly serialOf: (adapter: number) => string;
}

export function ccaProcessor({ engine, keys, protectionKey, serialOf }: CcaParts): AdapterProcessor {
  const usage: ReadonlyMap<string, Verb> = new Map([
    ["PK", publicKeyVerb(engine)],
    ["PD", privateKeyVerb(engine)],
    ["RL", randomVerb],
    ["FQ", facilityQueryVerb(keys, serialOf)],
    ["KG", generateDataKeyVerb(keys)],
    ["CM", importDataKeyVerb(keys)],
    ["US", unwrapDataKeyVerb(keys, protectionKey)],
    ["GK", generateCipherKeyVerb(keys)],
    ["IP", importCipherKeyVerb(keys)],
    ["AU", unwrapCipherKeyVerb(keys, protectionKey)],
  ]);
  const administration: ReadonlyMap<string, Verb> = new Map([["MK", masterKeyVerb(keys)]]);
  return (sent, reply) => {
    const request = readType6(sent.message);
    if (typeof request === "number") return reply(coprocessorError(request));
    const refusal = refusalOf(request, sent);
    if (refusal) return reply(refusal);
    const verb = (request.kind === "administration" ? administration : usage).get(request.verb);
    if (!verb) return reply(type86Reply(request, failure(Reason.notAuthorized)));
    verb({ ...request, adapter: sent.adapter, epoch: sent.epoch }, (result) =>
      reply(typeof result === "number" ? coprocessorError(result) : type86Reply(request, result)),
    );
  };
}

/**
 * A request to use keys names the domain whose queue it came by. A command of administration comes by any queue and names a domain that the
 * sender controls; to one that it may only use it is not authorized, and of others it hears nothing.
 */
function refusalOf(request: Type6Request, { domain, profile, usageDomains, controlDomains }: AdapterRequest): Uint8Array | undefined {
  const notAuthorized = (): Uint8Array => type86Reply(request, failure(Reason.notAuthorized));
  if (request.kind === "unknown") return notAuthorized();
  const invalidDomain = coprocessorError(ReplyCode.invalidDomain);
  if (request.kind === "usage") return request.domain === domain ? undefined : invalidDomain;
  if (request.domain > profile.maxDomain) return invalidDomain;
  if (controlDomains.has(request.domain)) return undefined;
  return usageDomains.has(request.domain) ? notAuthorized() : invalidDomain;
}
