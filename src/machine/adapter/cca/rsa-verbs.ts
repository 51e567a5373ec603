import type { AsymmetricEngine, AsymmetricResult, AsymmetricTask, OperandProblem } from "../asymmetric/asymmetric-task.ts";
import { ReplyCode } from "../error-reply.ts";
import { readCrtKey, readPublicKey } from "./key-token.ts";
import { type ParameterBlocks, readParameterBlocks } from "./parameter-blocks.ts";
import { Reason } from "./reason-codes.ts";
import { failure, success, type VerbResult } from "./type86-reply.ts";
import type { Verb } from "./verb.ts";

/** PK: value^exponent mod modulus with a public key token. The exponent may as well be a private one. */
export const publicKeyVerb = rsaVerb("MRP     ", ({ data, key }) => {
  const token = readPublicKey(key);
  return token && { kind: "power", value: data, ...token, size: token.modulus.length };
});

/** PD: the private operation by CRT, without looking at the padding. */
export const privateKeyVerb = rsaVerb("ZERO-PAD", ({ data, key }) => {
  const token = readCrtKey(key);
  if (!token) return undefined;
  const { modulusBytes: size, ...parts } = token;
  return { kind: "crt", value: data, ...parts, size };
});

const reasonOf: Readonly<Record<OperandProblem, readonly [number, number]>> = {
  "invalid-key": Reason.unusableKey,
  "even-modulus": Reason.unusableKey,
  "modulus-too-long": Reason.unusableKey,
  "value-too-large": Reason.invalidSize,
};

function rsaVerb(rule: string, taskOf: (blocks: ParameterBlocks) => AsymmetricTask | undefined): (engine: AsymmetricEngine) => Verb {
  return (engine) =>
    ({ parameters, epoch }, done) => {
      const blocks = readParameterBlocks(parameters);
      if (!blocks) return done(failure(Reason.invalidSize));
      if (blocks.rules.length !== 1 || blocks.rules[0] !== rule) return done(failure(Reason.invalidRule));
      const task = taskOf(blocks);
      if (!task) return done(failure(Reason.unusableKey));
      if (task.value.length > task.size) return done(failure(Reason.invalidSize));
      engine(task, epoch, (result) => done(verbResult(result)));
    };
}

function verbResult(result: AsymmetricResult): VerbResult | ReplyCode {
  if (result === "failed") return ReplyCode.machineFailure;
  return typeof result === "string" ? failure(reasonOf[result]) : success({ output: result });
}
