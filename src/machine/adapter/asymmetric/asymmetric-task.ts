import type { QueueEpoch } from "../../queue-epoch.ts";

/**
 * Work of an adapter that takes milliseconds, as plain bytes, so that it can be sent to another thread. All integers are unsigned and
 * big-endian and may have zeros on the left.
 */
export type AsymmetricTask = PowerTask | CrtTask;

export interface PowerTask {
  readonly kind: "power";
  readonly value: Uint8Array;
  readonly exponent: Uint8Array;
  readonly modulus: Uint8Array;
  /** Bytes of the result. */
  readonly size: number;
}

export interface CrtTask {
  readonly kind: "crt";
  readonly value: Uint8Array;
  readonly p: Uint8Array;
  readonly q: Uint8Array;
  readonly dp: Uint8Array;
  readonly dq: Uint8Array;
  readonly u: Uint8Array;
  /** Bytes of the result. */
  readonly size: number;
}

/** Why there is no result: the key has a part that no key has; its modulus is even; it is too long; the value is not below it. */
export type OperandProblem = "invalid-key" | "even-modulus" | "modulus-too-long" | "value-too-large";

/** The adapter lost the task. */
export type TaskFailure = "failed";

export type AsymmetricResult = Uint8Array | OperandProblem | TaskFailure;

/** Does a task and calls `done` once, in the same turn or later; never if the epoch of its queue ends before. */
export type AsymmetricEngine = (task: AsymmetricTask, epoch: QueueEpoch, done: (result: AsymmetricResult) => void) => void;
