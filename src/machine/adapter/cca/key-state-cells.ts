import type { KeyRegisters } from "../../secrets/key-registers.ts";

/** The states of a master key's registers as CCA tells them, new, current and old: a digit each. Source: Linux zcrypt_ccamisc.h, struct cca_info. */
export function registerCells({ next, current, old }: KeyRegisters): [next: string, current: string, old: string] {
  return [next ? (next.state === "partial" ? states.partial : states.full) : states.empty, validity(current), validity(old)];
}

const states = { empty: "1", partial: "2", full: "3" } as const;
const validity = (key: Uint8Array | undefined): string => (key ? "2" : "1");
