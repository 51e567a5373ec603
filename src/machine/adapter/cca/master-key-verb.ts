import type { KeyOperation, KeyProblem, KeyRegisters } from "../../secrets/key-registers.ts";
import type { KeyStore } from "../../secrets/key-store.ts";
import { type MasterKeyKind, verificationPattern } from "../../secrets/master-key.ts";
import { registerCells } from "./key-state-cells.ts";
import { readParameterBlocks } from "./parameter-blocks.ts";
import { Reason } from "./reason-codes.ts";
import { failure, success, type VerbResult } from "./type86-reply.ts";
import { quickVerb, type Verb } from "./verb.ts";

/**
 * MK, a command of administration: clears, loads and sets a master key of the domain that the message names, which need not be that of its
 * queue. The commands of IBM's key workstation are not published, so this one is ours, with the keywords of CCA's verb Master Key Process:
 * rules are the key and the step, data is the key part. The answer has the register's states as three keywords, and the patterns of
 * new, current and old one after the other, zeros where there is no whole key.
 */
export const masterKeyVerb = (keys: KeyStore): Verb =>
  quickVerb(({ parameters, adapter, domain }) => {
    const blocks = readParameterBlocks(parameters);
    if (!blocks) return failure(Reason.invalidSize);
    const [key = "", step = ""] = blocks.rules;
    const kind = kinds.get(key);
    const operations = operationsOf(step, blocks.data);
    if (!kind || !operations || blocks.rules.length !== 2) return failure(Reason.invalidRule);
    const isPart = operations[0]?.do === "load";
    if (!isPart && blocks.data.length > 0) return failure(Reason.invalidSize);
    const problem = keys.change(adapter, domain, kind, operations);
    return problem === undefined ? registersResult(kind, keys.registers(adapter, domain, kind)) : failure(reasonOf(problem));
  });

const kinds: ReadonlyMap<string, Exclude<MasterKeyKind, "ep11">> = new Map([
  ["AES-MK  ", "aes"],
  ["APKA-MK ", "apka"],
  ["ASYM-MK ", "asym"],
]);

function operationsOf(step: string, value: Uint8Array): KeyOperation[] | undefined {
  switch (step) {
    case "QUERY   ":
      return [];
    case "CLEAR   ":
      return [{ do: "clear" }];
    case "FIRST   ":
      return [{ do: "load", part: "first", value }];
    case "MIDDLE  ":
      return [{ do: "load", part: "middle", value }];
    case "LAST    ":
      return [{ do: "load", part: "last", value }];
    case "SET     ":
      return [{ do: "set" }];
    default:
      return undefined;
  }
}

function reasonOf(problem: KeyProblem) {
  if (problem === "held") return Reason.notAuthorized;
  return problem === "wrong-length" ? Reason.invalidSize : Reason.invalidCombination;
}

const cellBytes = 8;

function registersResult(kind: MasterKeyKind, registers: KeyRegisters): VerbResult {
  const next = registers.next?.state === "full" ? registers.next.key : undefined;
  const patternBytes = verificationPattern(kind, new Uint8Array(0)).length;
  const patterns = [next, registers.current, registers.old].map((key) =>
    key ? verificationPattern(kind, key) : new Uint8Array(patternBytes),
  );
  const cells = registerCells(registers).map((cell) => cell.padEnd(cellBytes));
  return success({ rules: Buffer.from(cells.join(""), "latin1"), output: Buffer.concat(patterns) });
}
