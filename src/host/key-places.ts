import { kindsOf, type MasterKeyKind } from "../machine/secrets/master-key.ts";
import { Refusal } from "./control-protocol.ts";
import type { Host } from "./host.ts";

export interface KeyPlace {
  readonly adapter: number;
  readonly domain: number;
  readonly kind: MasterKeyKind;
}

/** What a command names: a domain of an adapter, or more where it leaves one of them out. */
export interface NamedPlaces {
  readonly adapter?: number | undefined;
  readonly domain?: number | undefined;
}

/** The master keys of the named domains; of those that this LPAR uses or controls. Refusal: what is named is not there. */
export function keyPlaces({ machine, name }: Pick<Host, "machine" | "name">, { adapter, domain }: NamedPlaces): KeyPlace[] {
  const { usage, control } = machine.domains;
  const own = usage.or(control);
  if (domain !== undefined && !own.has(domain)) {
    throw new Refusal(
      `domain ${domain} is neither a usage nor a control domain of ${name}: adjunct hw ${name} control-domain add ${domain}`,
    );
  }
  const named = adapter === undefined ? undefined : machine.adapters.get(adapter)?.profile;
  if (adapter !== undefined && !named) throw new Refusal(`no adapter ${adapter}: adjunct hw ${name} show lists those that there are`);
  if (named && kindsOf(named.mode).length === 0) throw new Refusal(`adapter ${adapter} is an accelerator: it has no master keys`);
  if (named && domain !== undefined && domain > named.maxDomain) {
    throw new Refusal(`adapter ${adapter} has no domain ${domain}: its highest is ${named.maxDomain}`);
  }
  const domains = domain === undefined ? [...own] : [domain];
  const adapters = adapter === undefined ? [...machine.adapters.keys()].sort((left, right) => left - right) : [adapter];
  return adapters.flatMap((id) => {
    const { mode, maxDomain } = machine.adapters.get(id)!.profile;
    const reachable = domains.filter((of) => of <= maxDomain);
    return reachable.flatMap((of) => kindsOf(mode).map((kind) => ({ adapter: id, domain: of, kind })));
  });
}
