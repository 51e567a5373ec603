import { type Apqn, apqn } from "../../ap/apqn.ts";
import type { WrappingKeys } from "../adapter/ep11/wrapping-keys.ts";
import { changedRegisters, emptyRegisters, type KeyOperation, type KeyProblem, type KeyRegisters } from "./key-registers.ts";
import { type MasterKeyKind, MasterKeyKinds } from "./master-key.ts";

/**
 * The master keys of every domain of every adapter. They belong to the domain, not to a queue: ZAPQ, a removed adapter and a removed
 * domain leave them, as on a machine where the LPAR only loses its way to them. A fresh domain has none.
 */
export interface DomainKeys {
  readonly queue: Apqn;
  /** Kinds without any key are left out. */
  readonly keys: Readonly<Partial<Record<MasterKeyKind, KeyRegisters>>>;
}

export class KeyStore {
  readonly #domains = new Map<Apqn, Partial<Record<MasterKeyKind, KeyRegisters>>>();
  readonly #observers: ((domain: DomainKeys) => void)[] = [];

  constructor(kept: readonly DomainKeys[] = []) {
    for (const { queue, keys } of kept) this.#domains.set(queue, { ...keys });
  }

  /** Calls `observer` with all keys of a domain, each time one of them changed. */
  observe(observer: (domain: DomainKeys) => void): void {
    this.#observers.push(observer);
  }

  /** Asked before a change whether the keys of a domain have to stay as they are. */
  isHeld: (adapter: number, domain: number) => boolean = () => false;

  registers(adapter: number, domain: number, kind: MasterKeyKind): KeyRegisters {
    return this.#domains.get(apqn(adapter, domain))?.[kind] ?? emptyRegisters;
  }

  /** Does all of `operations` or, if one is not possible, none. */
  change(adapter: number, domain: number, kind: MasterKeyKind, operations: readonly KeyOperation[]): KeyProblem | undefined {
    const before = this.registers(adapter, domain, kind);
    let registers = before;
    for (const operation of operations) {
      const changed = changedRegisters(kind, registers, operation);
      if (typeof changed === "string") return changed;
      registers = changed;
    }
    if (areEqual(before, registers)) return undefined;
    if (this.isHeld(adapter, domain)) return "held";
    this.#put(apqn(adapter, domain), kind, registers);
    return undefined;
  }

  /** Empties every register of a domain. */
  zeroize(adapter: number, domain: number): KeyProblem | undefined {
    const queue = apqn(adapter, domain);
    if (!this.#domains.has(queue)) return undefined;
    if (this.isHeld(adapter, domain)) return "held";
    this.#domains.delete(queue);
    this.#tell({ queue, keys: {} });
    return undefined;
  }

  /** What an EP11 coprocessor sees: a new key as soon as its last part came. */
  wrappingKeys(adapter: number, domain: number): WrappingKeys {
    const { current, next } = this.registers(adapter, domain, "ep11");
    const isComplete = next !== undefined && next.state !== "partial";
    return { current, next: isComplete ? { key: next.key, isCommitted: next.state === "committed" } : undefined };
  }

  #put(queue: Apqn, kind: MasterKeyKind, registers: KeyRegisters): void {
    const all = { ...this.#domains.get(queue), [kind]: registers };
    const keys = Object.fromEntries(
      MasterKeyKinds.flatMap((each) => {
        const held = all[each];
        return held && !areEqual(held, emptyRegisters) ? [[each, held]] : [];
      }),
    );
    if (Object.keys(keys).length > 0) this.#domains.set(queue, keys);
    else this.#domains.delete(queue);
    this.#tell({ queue, keys });
  }

  #tell(domain: DomainKeys): void {
    for (const observer of this.#observers) observer(domain);
  }
}

function areEqual(left: KeyRegisters, right: KeyRegisters): boolean {
  return (
    left.next?.state === right.next?.state &&
    isSameKey(left.next?.key, right.next?.key) &&
    isSameKey(left.current, right.current) &&
    isSameKey(left.old, right.old)
  );
}

function isSameKey(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (!left || !right) return left === right;
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
