import * as v from "valibot";
import { table } from "./table.ts";

const register = v.object({ state: v.string(), pattern: v.nullable(v.string()) });

/** What the commands about master keys answer. */
const keysSchema = v.array(v.object({ queue: v.string(), kind: v.string(), new: register, current: register, old: v.nullable(register) }));

/** Master keys for people: a line each, states with patterns. */
export function masterKeyLines(answer: unknown): string[] {
  const keys = v.parse(keysSchema, answer);
  if (keys.length === 0) return ["no domains with master keys"];
  const rows = keys.map((key) => [
    key.queue,
    key.kind,
    registerText(key.new),
    registerText(key.current),
    key.old ? registerText(key.old) : "-",
  ]);
  return table(["QUEUE", "KEY", "NEW", "CURRENT", "OLD"], rows);
}

const registerText = ({ state, pattern }: v.InferOutput<typeof register>): string => (pattern === null ? state : `${state} 0x${pattern}`);
