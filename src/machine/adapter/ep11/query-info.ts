import { domainInfo } from "./domain-info.ts";
import type { Ep11Context, Ep11Function } from "./ep11-function.ts";
import { apiOrdinalOf, moduleInfo } from "./module-info.ts";
import { ReturnValue, refuse } from "./return-value.ts";

/** Get info: the queries that Linux sends, and the API alone. Source: Linux zcrypt_ep11misc.c; ep11.h, CK_IBM_XCPQUERY_t. */
export const queryInfo: Ep11Function = (parameters, context) => {
  const type = parameters.number();
  const subtype = parameters.number();
  parameters.end();
  const query = queries.get(type);
  if (!query || subtype !== 0) refuse(ReturnValue.argumentsBad);
  return [query(context)];
};

const moduleInfoOf = ({ request, serialNumber }: Ep11Context): Uint8Array => moduleInfo(request.profile, serialNumber);

/** Ordinal and firmware id, with which the module's information begins. */
const apiInfoBytes = 8;

const queries: ReadonlyMap<number, (context: Ep11Context) => Uint8Array> = new Map([
  [0, (context: Ep11Context) => moduleInfoOf(context).subarray(0, apiInfoBytes)],
  [1, moduleInfoOf],
  [3, ({ request, keys }: Ep11Context) => domainInfo(request.domain, apiOrdinalOf(request.profile), keys)],
]);
