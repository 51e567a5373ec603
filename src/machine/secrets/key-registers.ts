import { type MasterKeyKind, masterKeyTypes } from "./master-key.ts";

/**
 * The registers of one master key, as a value: an operation gives new registers or says why not, and never half of either. A key comes in
 * parts that are XORed into the new register, the last one fills it; setting moves new to current and current to old.
 */
export interface KeyRegisters {
  readonly next: NextKey | undefined;
  readonly current: Uint8Array | undefined;
  /** Always undefined for EP11. */
  readonly old: Uint8Array | undefined;
}

export interface NextKey {
  readonly key: Uint8Array;
  readonly state: "partial" | "full" | "committed";
}

export const emptyRegisters: KeyRegisters = { next: undefined, current: undefined, old: undefined };

export type KeyOperation =
  | { readonly do: "clear" }
  | { readonly do: "load"; readonly part: "first" | "middle" | "last"; readonly value: Uint8Array }
  | { readonly do: "commit" }
  | { readonly do: "set" };

/** `not-empty`, `not-partial`, `not-full`, `not-committed`: what the new register is. `wrong-length`: the part. `held`: none of them may change now. */
export type KeyProblem = "not-empty" | "not-partial" | "not-full" | "not-committed" | "wrong-length" | "no-commitment" | "held";

export function changedRegisters(kind: MasterKeyKind, registers: KeyRegisters, operation: KeyOperation): KeyRegisters | KeyProblem {
  switch (operation.do) {
    case "clear":
      return { ...registers, next: undefined };
    case "load":
      return loaded(kind, registers, operation);
    case "commit":
      return committed(kind, registers);
    case "set":
      return set(kind, registers);
  }
}

type Load = Extract<KeyOperation, { readonly do: "load" }>;

function loaded(kind: MasterKeyKind, registers: KeyRegisters, { part, value }: Load): KeyRegisters | KeyProblem {
  const { next } = registers;
  if (value.length !== masterKeyTypes[kind].bytes) return "wrong-length";
  if (part === "first") return next ? "not-empty" : { ...registers, next: { key: Uint8Array.from(value), state: "partial" } };
  if (next?.state !== "partial") return "not-partial";
  const key = next.key.map((byte, index) => byte ^ value[index]!);
  return { ...registers, next: { key, state: part === "last" ? "full" : "partial" } };
}

function committed(kind: MasterKeyKind, registers: KeyRegisters): KeyRegisters | KeyProblem {
  const { next } = registers;
  if (!masterKeyTypes[kind].isCommitted) return "no-commitment";
  return next?.state === "full" ? { ...registers, next: { ...next, state: "committed" } } : "not-full";
}

function set(kind: MasterKeyKind, { next, current }: KeyRegisters): KeyRegisters | KeyProblem {
  const { isCommitted } = masterKeyTypes[kind];
  if (!next || next.state !== (isCommitted ? "committed" : "full")) return isCommitted ? "not-committed" : "not-full";
  return { next: undefined, current: next.key, old: isCommitted ? undefined : current };
}
