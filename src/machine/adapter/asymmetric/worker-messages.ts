import type { AsymmetricResult, AsymmetricTask } from "./asymmetric-task.ts";

/** What an engine tells its workers, in order. */
export type WorkerRequest =
  | { readonly do: "compute"; readonly id: number; readonly scope: number; readonly task: PackedTask }
  /** The scope is over: its keys must go. */
  | { readonly do: "forget"; readonly scope: number };

export interface WorkerAnswer {
  readonly id: number;
  readonly result: AsymmetricResult;
}

/** A task whose operands follow each other in one buffer of their own: a view would take all that it views along to the other thread. */
export interface PackedTask {
  readonly kind: AsymmetricTask["kind"];
  readonly size: number;
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

export function packTask(task: AsymmetricTask): PackedTask {
  const { kind, size, value } = task;
  const parts = task.kind === "crt" ? [task.p, task.q, task.dp, task.dq, task.u, value] : [task.exponent, task.modulus, value];
  const lengths = parts.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return { kind, size, lengths, bytes };
}

export function unpackTask({ kind, size, lengths, bytes }: PackedTask): AsymmetricTask {
  let end = 0;
  const parts = lengths.map((length) => {
    end += length;
    return bytes.subarray(end - length, end);
  });
  if (kind === "crt") {
    const [p, q, dp, dq, u, value] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    return { kind, p, q, dp, dq, u, value, size };
  }
  const [exponent, modulus, value] = parts as [Uint8Array, Uint8Array, Uint8Array];
  return { kind, exponent, modulus, value, size };
}

/** A result in a buffer of its own, for the same reason. */
export const ownResult = (result: AsymmetricResult): AsymmetricResult =>
  typeof result === "string" || result.length === result.buffer.byteLength ? result : new Uint8Array(result);
