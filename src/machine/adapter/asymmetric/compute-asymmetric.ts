import type { AsymmetricEngine, AsymmetricTask, OperandProblem } from "./asymmetric-task.ts";
import { type CrtKey, type CrtParts, readCrtKey } from "./crt-key.ts";
import { type PowerKey, type PowerParts, readPowerKey } from "./power-key.ts";

/** Where keys come from: made for each task, or kept for the next one. */
export interface Keys {
  crt(parts: CrtParts): CrtKey | OperandProblem;
  power(parts: PowerParts): PowerKey | OperandProblem;
}

const freshKeys: Keys = { crt: readCrtKey, power: readPowerKey };

/** The result of a task in exactly its size, or why there is none. Never throws, whatever the operands are. */
export function computeAsymmetric(task: AsymmetricTask, keys = freshKeys): Uint8Array | OperandProblem {
  const key = task.kind === "power" ? keys.power(task) : keys.crt(task);
  return typeof key === "string" ? key : key.power(task.value, task.size);
}

/** Does every task at once, in the caller's thread. */
export const immediateEngine: AsymmetricEngine = (task, _epoch, done) => done(computeAsymmetric(task));
