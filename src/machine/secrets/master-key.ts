import { createHash } from "node:crypto";
import type { Mode } from "../../ap/queue-info.ts";

/**
 * The kinds of master keys that a domain of an adapter has, each with registers of its own. The pattern of an AES or APKA key is
 * CCA's: the first eight bytes of SHA-256 over X'01' and the key (IBM, CCA programmer's guide: SHA-256 based master-key verification
 * method). CCA takes MDC-4 for ASYM keys; here it is the same hash, sixteen bytes of it. EP11's is SHA-256 of the key.
 */
export const MasterKeyKinds = ["aes", "apka", "asym", "ep11"] as const;
export type MasterKeyKind = (typeof MasterKeyKinds)[number];

export interface MasterKeyType {
  /** As `mkvps` calls it. */
  readonly name: string;
  /** The mode of the adapters that have it. */
  readonly mode: Mode;
  readonly bytes: number;
  readonly patternBytes: number;
  /** EP11: a new key has to be committed before it is set, and no old one is kept. */
  readonly isCommitted: boolean;
}

export const masterKeyTypes: Readonly<Record<MasterKeyKind, MasterKeyType>> = {
  aes: { name: "AES", mode: "cca", bytes: 32, patternBytes: 8, isCommitted: false },
  apka: { name: "APKA", mode: "cca", bytes: 32, patternBytes: 8, isCommitted: false },
  asym: { name: "ASYM", mode: "cca", bytes: 24, patternBytes: 16, isCommitted: false },
  ep11: { name: "WK", mode: "ep11", bytes: 32, patternBytes: 32, isCommitted: true },
};

/** What is shown of a key instead of it. */
export function verificationPattern(kind: MasterKeyKind, key: Uint8Array): Uint8Array {
  const hash = createHash("sha256");
  if (kind !== "ep11") hash.update(ccaHashPrefix);
  return hash.update(key).digest().subarray(0, masterKeyTypes[kind].patternBytes);
}

const ccaHashPrefix = Uint8Array.of(1);

export const kindsOf = (mode: Mode): MasterKeyKind[] => MasterKeyKinds.filter((kind) => masterKeyTypes[kind].mode === mode);
