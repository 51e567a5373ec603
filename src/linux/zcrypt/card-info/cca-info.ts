import { fail } from "../../../sysfs/errno.ts";
import type { Job } from "../../time/work-queue.ts";
import { anyDomain, cprbx } from "../messages/type6-layout.ts";
import { cprbxBlock } from "../messages/type6-message.ts";
import type { RequestContext, Zcrypt } from "../zcrypt.ts";

/**
 * What a CCA coprocessor tells of itself and of the master keys of a domain, by the verb FQ. What it did not tell is not there: the
 * second question is asked only when the first was answered. Source: Linux drivers/s390/crypto/zcrypt_ccamisc.c, cca_get_info.
 */
export interface CcaInfo {
  readonly serial: string;
  readonly registers: readonly MasterKeyRegister[];
}

export const masterKeyKinds = ["AES", "APKA", "ASYM"] as const;
export type MasterKeyKind = (typeof masterKeyKinds)[number];
export const registerNames = ["NEW", "CUR", "OLD"] as const;
export type RegisterName = (typeof registerNames)[number];

export interface MasterKeyRegister {
  readonly kind: MasterKeyKind;
  readonly name: RegisterName;
  /** `1` empty or invalid, `2` partly filled or valid, `3` full. */
  readonly state: string;
  /** In hexadecimal digits; zeros where it has none. */
  readonly pattern: string;
}

const cellBytes = 8;
const arrayBytes = 2048;

interface Question {
  readonly keyword: string;
  /** What an answer must have at least. */
  readonly ruleBytes: number;
  readonly variableBytes: number;
  readonly kinds: readonly Layout[];
}

interface Layout {
  readonly kind: MasterKeyKind;
  /** Cells of the rule array with the states, NEW first, then CUR and OLD. */
  readonly firstCell: number;
  readonly patternBytes: number;
  readonly patterns: Readonly<Record<RegisterName, number>>;
}

const aes: Layout = { kind: "AES", firstCell: 7, patternBytes: 8, patterns: { NEW: 196, CUR: 184, OLD: 172 } };
const apka: Layout = { kind: "APKA", firstCell: 10, patternBytes: 8, patterns: { NEW: 232, CUR: 220, OLD: 208 } };
const asym: Layout = { kind: "ASYM", firstCell: 4, patternBytes: 16, patterns: { NEW: 104, CUR: 84, OLD: 64 } };

const questions: readonly Question[] = [
  { keyword: "STATICSA", ruleBytes: 10 * cellBytes, variableBytes: 204, kinds: [aes, asym] },
  { keyword: "STATICSB", ruleBytes: 13 * cellBytes, variableBytes: 240, kinds: [apka] },
];

/** `domain` undefined: any of the card. Throws what the first question ends with. */
export function* fetchCcaInfo(zcrypt: Zcrypt, card: number, domain: number | undefined, context: RequestContext): Job<CcaInfo> {
  let serial = "";
  const registers: MasterKeyRegister[] = [];
  for (const { keyword, ruleBytes, variableBytes, kinds } of questions) {
    const { rules, variables } = yield* queryFacility(zcrypt, card, domain ?? anyDomain, keyword, context);
    if (rules.length < ruleBytes || variables.length < variableBytes) return { serial, registers };
    if (serial === "") serial = textOf(rules.subarray(0, cellBytes));
    for (const layout of kinds) registers.push(...registersOf(layout, rules, variables));
  }
  return { serial, registers };
}

/** Ends before a NUL, as a C string does. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1").split("\0", 1)[0] ?? "";

/** States in which a register has a pattern. */
const filledState: Readonly<Record<RegisterName, string>> = { NEW: "3", CUR: "2", OLD: "2" };

function registersOf({ kind, firstCell, patternBytes, patterns }: Layout, rules: Buffer, variables: Buffer): MasterKeyRegister[] {
  return registerNames.map((name, index) => {
    const state = String.fromCharCode(rules[(firstCell + index) * cellBytes] ?? 0);
    const hasPattern = state === filledState[name];
    const pattern = hasPattern ? variables.subarray(patterns[name], patterns[name] + patternBytes) : Buffer.alloc(patternBytes);
    return { kind, name, state, pattern: pattern.toString("hex") };
  });
}

const lengthBytes = 2;
const requestVariableBytes = 4096;

/** EIO: the coprocessor's return code is not 0. */
function* queryFacility(
  zcrypt: Zcrypt,
  card: number,
  domain: number,
  keyword: string,
  context: RequestContext,
): Job<{ readonly rules: Buffer; readonly variables: Buffer }> {
  const parameters = Buffer.concat([Buffer.from("FQ"), Buffer.of(0, 10), Buffer.from(keyword), Buffer.alloc(requestVariableBytes + 4)]);
  parameters.writeUInt16BE(requestVariableBytes + lengthBytes, 12);
  parameters.writeUInt16BE(lengthBytes, parameters.length - lengthBytes);
  const replyControlBytes = cprbx.bytes + parameters.length;
  const control = cprbxBlock({ domain, parameters, replyBlockBytes: replyControlBytes });
  const reply = yield* zcrypt.sendCprb({ agent: "CA", card, control, replyControlBytes }, context);
  const answer = Buffer.from(reply.control);
  if (answer.length < cprbx.bytes || answer.readUInt16BE(cprbx.returnCode) !== 0) fail("EIO");
  const afterVerb = answer.subarray(cprbx.bytes + 2);
  const rules = arrayIn(afterVerb);
  const variables = arrayIn(afterVerb.subarray(rules.length === 0 ? 0 : lengthBytes + rules.length));
  return { rules: rules.subarray(0, arrayBytes), variables: variables.subarray(0, arrayBytes) };
}

/** What follows a length that counts itself. */
function arrayIn(bytes: Buffer): Buffer {
  const length = bytes.length < lengthBytes ? 0 : bytes.readUInt16BE(0);
  return bytes.subarray(lengthBytes, Math.max(lengthBytes, length));
}
