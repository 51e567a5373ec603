import { coprocessorError, ReplyCode } from "../error-reply.ts";
import type { AdapterProcessor, AdapterRequest } from "../processor.ts";
import { decryptSingle, encryptSingle } from "./crypt-single.ts";
import type { Ep11Function } from "./ep11-function.ts";
import { ep11Reply } from "./ep11-reply.ts";
import { type Ep11Request, readEp11Request } from "./ep11-request.ts";
import { generateKey } from "./generate-key.ts";
import { apiOrdinalOf } from "./module-info.ts";
import { ParameterReader } from "./parameter-reader.ts";
import { queryInfo } from "./query-info.ts";
import { Refusal, ReturnValue, refuse } from "./return-value.ts";
import { unwrapKey } from "./unwrap-key.ts";
import { wrapKey } from "./wrap-key.ts";
import type { KeysOf } from "./wrapping-keys.ts";

/**
 * An EP11 coprocessor: requests of type 6 by their function, answered with type 86. What is wrong with the envelope is an error of
 * type 82, what is wrong inside it a return value. There is no administration, which is what a flag in the CPRB asks for.
 */
export interface Ep11Parts {
  readonly keysOf: KeysOf;
  /** 32 bytes under which protected keys are. */
  readonly protectionKey: Uint8Array;
  /** Sixteen characters. */
  readonly serialOf: (adapter: number) => string;
}

export function ep11Processor({ keysOf, protectionKey, serialOf }: Ep11Parts): AdapterProcessor {
  const functions: ReadonlyMap<number, Ep11Function> = new Map([
    [19, encryptSingle],
    [20, decryptSingle],
    [21, generateKey],
    [33, wrapKey(protectionKey)],
    [34, unwrapKey],
    [38, queryInfo],
  ]);
  const call = (request: AdapterRequest, { call, isAdministrative, parameters }: Ep11Request): readonly Uint8Array[] => {
    const apiOrdinal = call >>> 16;
    if (apiOrdinal === 0 || apiOrdinal > apiOrdinalOf(request.profile)) refuse(ReturnValue.apiMismatch);
    const called = isAdministrative ? undefined : functions.get(call & 0xffff);
    if (!called) refuse(ReturnValue.functionNotSupported);
    const keys = keysOf(request.adapter, request.domain);
    return called(new ParameterReader(parameters), { request, keys, apiOrdinal, serialNumber: serialOf(request.adapter) });
  };
  return (request, reply) => {
    const ep11Request = readEp11Request(request.message);
    if (typeof ep11Request === "number") return reply(coprocessorError(ep11Request));
    if (!isFor(ep11Request, request)) return reply(coprocessorError(ReplyCode.invalidDomain));
    reply(resultReply(ep11Request, () => call(request, ep11Request)));
  };
}

/**
 * A request to use keys names, twice, the domain whose queue it came by. One of administration comes by any queue and names a domain
 * that the sender may use or control.
 */
function isFor({ isAdministrative, target, domain }: Ep11Request, sent: AdapterRequest): boolean {
  if (!isAdministrative) return target === sent.domain && domain === sent.domain;
  return target <= sent.profile.maxDomain && (sent.usageDomains.has(target) || sent.controlDomains.has(target));
}

function resultReply(request: Ep11Request, call: () => readonly Uint8Array[]): Uint8Array {
  try {
    return ep11Reply(request, ReturnValue.ok, call());
  } catch (error) {
    if (error instanceof Refusal) return ep11Reply(request, error.returnValue);
    throw error;
  }
}
