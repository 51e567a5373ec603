import type { KeyStore } from "../../secrets/key-store.ts";
import { verificationPattern } from "../../secrets/master-key.ts";
import { Reason } from "./reason-codes.ts";

/** The AES master keys of the domain that a verb works for. */
export interface WrappingMasterKeys {
  readonly current: MasterKey;
  readonly old: MasterKey | undefined;
}

export interface MasterKey {
  readonly key: Uint8Array;
  readonly pattern: Uint8Array;
}

export type FailureReason = readonly [returnCode: number, reasonCode: number];

/** Reason masterKeyNotLoaded without a current key: then an old one is of no use either. */
export function aesMasterKeys(
  keys: KeyStore,
  { adapter, domain }: { readonly adapter: number; readonly domain: number },
): WrappingMasterKeys | FailureReason {
  const { current, old } = keys.registers(adapter, domain, "aes");
  if (!current) return Reason.masterKeyNotLoaded;
  return { current: withPattern(current), old: old && withPattern(old) };
}

/** The key that a token names by its pattern. */
export function masterKeyOf({ current, old }: WrappingMasterKeys, pattern: Uint8Array): MasterKey | undefined {
  return [current, old].find((key) => key !== undefined && Buffer.compare(key.pattern, pattern) === 0);
}

export const isReason = (value: object): value is FailureReason => Array.isArray(value);

const withPattern = (key: Uint8Array): MasterKey => ({ key, pattern: verificationPattern("aes", key) });
