import type { AsymmetricEngine, AsymmetricTask, CrtTask, OperandProblem, PowerTask } from "./asymmetric-task.ts";
import { byteLengthOf, bytesOf, integerOf } from "./big-integer.ts";
import { crtPower } from "./crt-power.ts";
import { modularPower } from "./modular-power.ts";

/** The result of a task in exactly its size, or why there is none. Never throws, whatever the operands are. */
export const computeAsymmetric = (task: AsymmetricTask): Uint8Array | OperandProblem =>
  task.kind === "power" ? computePower(task) : computeCrt(task);

/** Does every task at once, in the caller's thread. */
export const immediateEngine: AsymmetricEngine = (task, _epoch, done) => done(computeAsymmetric(task));

function computePower(task: PowerTask): Uint8Array | OperandProblem {
  const modulus = integerOf(task.modulus);
  const exponent = integerOf(task.exponent);
  const value = integerOf(task.value);
  if (exponent === 0n) return "invalid-key";
  return modulusProblem(modulus, value, task.size) ?? bytesOf(modularPower(value, exponent, modulus), task.size);
}

function computeCrt(task: CrtTask): Uint8Array | OperandProblem {
  const [value, p, q, dp, dq, u] = [task.value, task.p, task.q, task.dp, task.dq, task.u].map(integerOf) as Six;
  if (p % 2n === 0n || q % 2n === 0n) return "even-modulus";
  if (p === 1n || q === 1n || p === q || dp === 0n || dq === 0n || u === 0n) return "invalid-key";
  return modulusProblem(p * q, value, task.size) ?? bytesOf(crtPower({ value, p, q, dp, dq, u }), task.size);
}

type Six = [bigint, bigint, bigint, bigint, bigint, bigint];

function modulusProblem(modulus: bigint, value: bigint, size: number): OperandProblem | undefined {
  if (modulus % 2n === 0n) return "even-modulus";
  if (modulus === 1n) return "invalid-key";
  if (byteLengthOf(modulus) > size) return "modulus-too-long";
  return value >= modulus ? "value-too-large" : undefined;
}
