import * as v from "valibot";
import type { KeyRegisters } from "../machine/secrets/key-registers.ts";
import type { DomainKeys } from "../machine/secrets/key-store.ts";
import { MasterKeyKinds, masterKeyTypes } from "../machine/secrets/master-key.ts";

/** The master keys of one domain of an adapter as plain JSON, keys in hex: how they travel between threads and lie in the state folder. */
const kindSchema = (bytes: number) => {
  const key = v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${2 * bytes} hex digits`));
  const next = v.object({ key, state: v.picklist(["partial", "full", "committed"]) });
  return v.optional(v.strictObject({ next: v.optional(next), current: v.optional(key), old: v.optional(key) }));
};

export const domainSecretsSchema = v.strictObject({
  queue: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)),
  keys: v.strictObject({
    aes: kindSchema(masterKeyTypes.aes.bytes),
    apka: kindSchema(masterKeyTypes.apka.bytes),
    asym: kindSchema(masterKeyTypes.asym.bytes),
    ep11: kindSchema(masterKeyTypes.ep11.bytes),
  }),
});
export type DomainSecrets = v.InferOutput<typeof domainSecretsSchema>;

export function domainSecrets({ queue, keys }: DomainKeys): DomainSecrets {
  const entries = MasterKeyKinds.flatMap((kind) => {
    const registers = keys[kind];
    if (!registers) return [];
    const { next, current, old } = registers;
    const written = {
      ...(next && { next: { key: hex(next.key), state: next.state } }),
      ...(current && { current: hex(current) }),
      ...(old && { old: hex(old) }),
    };
    return [[kind, written] as const];
  });
  return { queue, keys: Object.fromEntries(entries) };
}

export function domainKeys({ queue, keys }: DomainSecrets): DomainKeys {
  const entries = MasterKeyKinds.flatMap((kind) => {
    const written = keys[kind];
    if (!written) return [];
    const { next, current, old } = written;
    const registers: KeyRegisters = {
      next: next && { key: bytes(next.key), state: next.state },
      current: current === undefined ? undefined : bytes(current),
      old: old === undefined ? undefined : bytes(old),
    };
    return [[kind, registers] as const];
  });
  return { queue, keys: Object.fromEntries(entries) };
}

const hex = (key: Uint8Array): string => Buffer.from(key).toString("hex");
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
