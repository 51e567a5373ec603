import type { Mode } from "../ap/queue-info.ts";
import { Functions } from "../ap/queue-info.ts";

/**
 * What an adapter is, as a record: PQAP(TAPQ) reports these fields for each of its queues.
 * Types: 6 CEX2A, 7 CEX2C, 8 CEX3A, 9 CEX3C, 10 CEX4 .. 14 CEX8. Capability words as real cards report them (lszcrypt -V).
 */
export interface AdapterProfile {
  readonly type: number;
  readonly mode: Mode;
  /** Bits 0-31 of the TAPQ word: facilities, mode, class, bind state. */
  readonly functions: number;
  /** How many messages a queue holds, 1..16. */
  readonly depth: number;
  /** Greatest message in units of 4 KiB, 0..15; 0 stands for 12 KiB. */
  readonly messageLimit: number;
  /** Highest domain the adapter has, 0..255. */
  readonly maxDomain: number;
}

const capabilities = {
  accelerator: Functions.mex4k | Functions.crt4k | Functions.accelerator | Functions.apxa,
  cca: Functions.apsc | Functions.cca | Functions.apxa | Functions.classFull,
  ep11: Functions.apsc | Functions.ep11 | Functions.apxa,
} as const satisfies Record<Mode, number>;

const modeLetters = { A: "accelerator", C: "cca", P: "ep11" } as const satisfies Record<string, Mode>;
const generations = { CEX2: { A: 6, C: 7 }, CEX3: { A: 8, C: 9 } } as const;

/** The types from which Linux drives an adapter with cex4card and cex4queue. */
export const firstPassThroughType = 10;
export const lastKnownType = 14;

export function adapterProfile(type: number, mode: Mode): AdapterProfile {
  const isOld = type < firstPassThroughType;
  return {
    type,
    mode,
    functions: (isOld ? capabilities[mode] & ~Functions.apxa : capabilities[mode]) >>> 0,
    depth: 8,
    messageLimit: type >= lastKnownType ? 12 : 0,
    maxDomain: isOld ? 15 : 255,
  };
}

/** `CEX5C`, `CEX8P`, `CEX3A` and so on, as lszcrypt prints a card's type; undefined for a name there is no card of. */
export function adapterProfileByName(name: string): AdapterProfile | undefined {
  const [, family, digit, letter] = /^(CEX)([2-8])([ACP])$/.exec(name.toUpperCase()) ?? [];
  if (!family || !digit || !letter) return undefined;
  const mode = modeLetters[letter as keyof typeof modeLetters];
  if (Number(digit) >= 4) return adapterProfile(firstPassThroughType + Number(digit) - 4, mode);
  if (letter === "P") return undefined;
  return adapterProfile(generations[`CEX${digit}` as keyof typeof generations][letter as "A" | "C"], mode);
}

/** The name that `adapterProfileByName` takes for this profile, `type N` for a type without one. */
export function adapterProfileName(profile: AdapterProfile): string {
  const letter = Object.entries(modeLetters).find(([, mode]) => mode === profile.mode)?.[0] ?? "?";
  if (profile.type >= firstPassThroughType && profile.type <= lastKnownType)
    return `CEX${profile.type - firstPassThroughType + 4}${letter}`;
  const old = Object.entries(generations).find(([, types]) => (Object.values(types) as number[]).includes(profile.type));
  return old ? `${old[0]}${letter}` : `type ${profile.type}`;
}
