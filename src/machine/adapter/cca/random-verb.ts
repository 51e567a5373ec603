import { randomBytes } from "node:crypto";
import { readParameterBlocks } from "./parameter-blocks.ts";
import { Reason } from "./reason-codes.ts";
import { failure, success } from "./type86-reply.ts";
import type { Verb } from "./verb.ts";

/** RL: as many random bytes as the caller has room for, up to what one call of CCA gives. */
export const randomVerb: Verb = ({ parameters, maxReplyDataBytes }, done) => {
  const blocks = readParameterBlocks(parameters);
  if (!blocks || maxReplyDataBytes === 0) return done(failure(Reason.invalidSize));
  if (blocks.rules.length !== 1 || blocks.rules[0] !== "RANDOM  ") return done(failure(Reason.invalidRule));
  done(success({ data: randomBytes(Math.min(maxReplyDataBytes, maxRandomBytes)) }));
};

const maxRandomBytes = 8192;
