import type { AsymmetricEngine, AsymmetricTask, OperandProblem, PowerTask } from "./asymmetric-task.ts";
import { byteLengthOf, bytesOf, integerOf } from "./big-integer.ts";
import { type CrtKey, type CrtParts, readCrtKey } from "./crt-key.ts";
import { modularPower } from "./modular-power.ts";

/** The result of a task in exactly its size, or why there is none. Never throws, whatever the operands are. */
export function computeAsymmetric(
  task: AsymmetricTask,
  keyOf: (parts: CrtParts) => CrtKey | OperandProblem = readCrtKey,
): Uint8Array | OperandProblem {
  if (task.kind === "power") return computePower(task);
  const key = keyOf(task);
  return typeof key === "string" ? key : key.power(task.value, task.size);
}

/** Does every task at once, in the caller's thread. */
export const immediateEngine: AsymmetricEngine = (task, _epoch, done) => done(computeAsymmetric(task));

function computePower(task: PowerTask): Uint8Array | OperandProblem {
  const modulus = integerOf(task.modulus);
  const exponent = integerOf(task.exponent);
  const value = integerOf(task.value);
  if (exponent === 0n) return "invalid-key";
  if (modulus % 2n === 0n) return "even-modulus";
  if (modulus === 1n) return "invalid-key";
  if (byteLengthOf(modulus) > task.size) return "modulus-too-long";
  if (value >= modulus) return "value-too-large";
  return bytesOf(modularPower(value, exponent, modulus), task.size);
}
