import { createHash } from "node:crypto";
import type { KeyOperation } from "./key-registers.ts";
import type { KeyStore } from "./key-store.ts";
import { type MasterKeyKind, masterKeyTypes } from "./master-key.ts";

/**
 * A master key that everybody knows, the same in every domain of every host: so that what one adapter wrapped another can unwrap, as
 * where an administrator loads one key into all domains of an application.
 */
export function testKey(kind: MasterKeyKind): Uint8Array {
  const digest = createHash("sha256").update(`adjunct test key ${kind}`).digest();
  return Uint8Array.from(digest.subarray(0, masterKeyTypes[kind].bytes));
}

/** What makes `key` the current one, whatever the new register holds before. */
export function settingOf(kind: MasterKeyKind, key: Uint8Array): KeyOperation[] {
  const nothing = new Uint8Array(key.length);
  const load: KeyOperation[] = [{ do: "clear" }, { do: "load", part: "first", value: key }, { do: "load", part: "last", value: nothing }];
  return masterKeyTypes[kind].isCommitted ? [...load, { do: "commit" }, { do: "set" }] : [...load, { do: "set" }];
}

/** Makes the test key current where another one or none is. */
export function loadTestKey(store: KeyStore, adapter: number, domain: number, kind: MasterKeyKind): void {
  const key = testKey(kind);
  const { current } = store.registers(adapter, domain, kind);
  if (current && Buffer.compare(current, key) === 0) return;
  store.change(adapter, domain, kind, settingOf(kind, key));
}
