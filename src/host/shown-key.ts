import { apqn, apqnName } from "../ap/apqn.ts";
import type { KeyRegisters } from "../machine/secrets/key-registers.ts";
import { type MasterKeyKind, masterKeyTypes, verificationPattern } from "../machine/secrets/master-key.ts";
import type { Host } from "./host.ts";
import type { KeyPlace } from "./key-places.ts";

/** What may be seen of a master key: the states of its registers, in the words of `mkvps`, and patterns. */
export interface ShownKey {
  readonly queue: string;
  readonly adapter: number;
  readonly domain: number;
  readonly kind: MasterKeyKind;
  readonly new: ShownRegister;
  readonly current: ShownRegister;
  /** Null for EP11, which keeps none. */
  readonly old: ShownRegister | null;
}

interface ShownRegister {
  readonly state: string;
  /** Hex digits; null where there is no whole key. */
  readonly pattern: string | null;
}

export function shownKey({ keys }: Pick<Host, "keys">, { adapter, domain, kind: key }: KeyPlace): ShownKey {
  const { next, current, old } = keys.registers(adapter, domain, key);
  const shown = (held: Uint8Array | undefined): ShownRegister => ({
    state: held ? "valid" : "invalid",
    pattern: held ? patternOf(key, held) : null,
  });
  return {
    ...{ queue: apqnName(apqn(adapter, domain)), adapter, domain, kind: key },
    new: { state: nextState(key, next), pattern: next && next.state !== "partial" ? patternOf(key, next.key) : null },
    current: shown(current),
    old: masterKeyTypes[key].isCommitted ? null : shown(old),
  };
}

function nextState(key: MasterKeyKind, next: KeyRegisters["next"]): string {
  if (!next) return "empty";
  return masterKeyTypes[key].isCommitted && next.state === "full" ? "uncommitted" : next.state;
}

const patternOf = (key: MasterKeyKind, value: Uint8Array): string => Buffer.from(verificationPattern(key, value)).toString("hex");
