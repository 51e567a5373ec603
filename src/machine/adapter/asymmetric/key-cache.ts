import { createHash } from "node:crypto";
import type { OperandProblem } from "./asymmetric-task.ts";
import type { Keys } from "./compute-asymmetric.ts";
import { readCrtKey } from "./crt-key.ts";
import { readPowerKey } from "./power-key.ts";

/** About 10 KB each. What a guest that never uses a key twice can fill. */
const defaultMaxKeys = 256;

/**
 * Keys that are ready for use, each in a scope: the epoch of a queue, which must not be outlived. The one that was used longest ago makes
 * room for a new one. A key is known by the hash of its parts.
 */
export class KeyCache {
  readonly #keys = new Map<string, { readonly scope: number; readonly key: object }>();

  constructor(private readonly maxKeys = defaultMaxKeys) {}

  get size(): number {
    return this.#keys.size;
  }

  of(scope: number): Keys {
    return {
      crt: (parts) => this.#key(scope, [parts.p, parts.q, parts.dp, parts.dq, parts.u], () => readCrtKey(parts)),
      power: (parts) => this.#key(scope, [parts.modulus, parts.exponent], () => readPowerKey(parts)),
    };
  }

  /** The scope is over: none of its keys is left. */
  drop(scope: number): void {
    for (const [name, known] of this.#keys) if (known.scope === scope) this.#keys.delete(name);
  }

  /** Keys of one kind have as many parts, and those of another kind another number. */
  #key<Key extends object>(scope: number, parts: readonly Uint8Array[], read: () => Key | OperandProblem): Key | OperandProblem {
    const name = `${scope} ${hashOf(parts)}`;
    const known = this.#keys.get(name);
    const key = (known?.key as Key | undefined) ?? read();
    if (typeof key === "string") return key;
    this.#keys.delete(name);
    this.#keys.set(name, known ?? { scope, key });
    if (this.#keys.size > this.maxKeys) this.#dropOldest();
    return key;
  }

  #dropOldest(): void {
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256").update(Uint16Array.from(parts, ({ length }) => length));
  for (const part of parts) hash.update(part);
  return hash.digest("base64");
}
