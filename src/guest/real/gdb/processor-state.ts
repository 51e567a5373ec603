import type { Psw } from "../psw.ts";
import type { GdbClient } from "./gdb-client.ts";

/**
 * A standing processor's PSW and general registers, as QEMU's stub orders them in `g` and `G`: PSW mask, PSW address, GR0 to GR15, each 16
 * hex digits, then what is not touched here.
 */
export interface ProcessorState {
  readonly psw: Psw;
  /** GR0 to GR15 as 32 words, as in `Cpu`. */
  readonly registers: Uint32Array;
}

/** A general register with all of its 64 bits. */
export const registerOf = (registers: Uint32Array, number: number): bigint =>
  (BigInt(registers[2 * number]!) << 32n) | BigInt(registers[2 * number + 1]!);

const registerDigits = 16;
const generalDigits = 32 * 8;

export function decodeProcessorState(text: string): ProcessorState {
  const rest = 2 * registerDigits;
  if (text.length < rest + generalDigits) throw new Error(`the gdb stub has no registers: ${text.slice(0, 16)}`);
  const registers = Uint32Array.from({ length: 32 }, (_, word) => Number.parseInt(text.slice(rest + 8 * word, rest + 8 * word + 8), 16));
  const psw = { mask: BigInt(`0x${text.slice(0, registerDigits)}`), address: BigInt(`0x${text.slice(registerDigits, rest)}`) };
  return { psw, registers };
}

/** `before` is the text of `g`, of which the rest is kept. */
export function encodeProcessorState({ psw, registers }: ProcessorState, before: string): string {
  const hex = (value: bigint): string => value.toString(16).padStart(registerDigits, "0");
  const words = [...registers].map((word) => word.toString(16).padStart(8, "0")).join("");
  return `${hex(psw.mask)}${hex(psw.address)}${words}${before.slice(2 * registerDigits + generalDigits)}`;
}

const descriptionLimit = "0,ffb";

/** The stub's number of control register 0: registers are numbered through the feature files in the order of target.xml. */
export async function firstControlRegister(client: GdbClient): Promise<number> {
  const target = await client.request(`qXfer:features:read:target.xml:${descriptionLimit}`);
  const files = [...target.matchAll(/href="([\w.-]+)"/g)].map(([, name = ""]) => name);
  let count = 0;
  for (const file of files) {
    const names = await registerNames(client, file);
    const cr0 = names.indexOf("cr0");
    if (cr0 >= 0) return count + cr0;
    count += names.length;
  }
  throw new Error("the gdb stub describes no control registers");
}

async function registerNames(client: GdbClient, file: string): Promise<string[]> {
  let text = "";
  for (;;) {
    const part = await client.request(`qXfer:features:read:${file}:${text.length.toString(16)},ffb`);
    text += part.slice(1);
    if (!part.startsWith("m") || part.length === 1) break;
  }
  return [...text.matchAll(/<reg\s[^>]*?name="([\w.]+)"/g)].map(([, name = ""]) => name);
}
