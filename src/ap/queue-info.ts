/**
 * What PQAP(TAPQ) puts into general register 2: facilities, mode, type and limits of a queue.
 * Two 32-bit words; bit numbers in the comments count from the left over both. Source: Linux arch/s390/include/asm/ap.h.
 */
export interface QueueInfo {
  /** Bits 0-31: the functions word that `ap_functions` prints, bind state included. */
  readonly functions: number;
  /** Bits 32-39: adapter type, 10 CEX4 .. 14 CEX8. */
  readonly type: number;
  /** Bits 40-47: highest domain. */
  readonly maxDomain: number;
  /** Bits 52-55: greatest message in 4 KiB units, 0 for 12 KiB. */
  readonly messageLimit: number;
  /** Bits 60-63: queue depth less one. */
  readonly depth: number;
}

/** Bits of the functions word (bits 0-31). */
export const Functions = {
  apsc: 0x80000000,
  mex4k: 0x40000000,
  crt4k: 0x20000000,
  cca: 0x10000000,
  accelerator: 0x08000000,
  ep11: 0x04000000,
  apxa: 0x02000000,
  slcf: 0x01000000,
  classFull: 0x00800000,
  classStateless: 0x00400000,
} as const;

const bindStateShift = 14;

export const bindStateOf = (functions: number): number => (functions >>> bindStateShift) & 3;

/** The right half of the register: type, highest domain, message limit, depth. */
export const lowInfoWord = (info: QueueInfo): number =>
  ((info.type << 24) | (info.maxDomain << 16) | ((info.messageLimit & 0xf) << 8) | (info.depth & 0xf)) >>> 0;

export function decodeQueueInfo(high: number, low: number): QueueInfo {
  return { functions: high >>> 0, type: low >>> 24, maxDomain: (low >>> 16) & 0xff, messageLimit: (low >>> 8) & 0xf, depth: low & 0xf };
}

export const Modes = ["accelerator", "cca", "ep11"] as const;
export type Mode = (typeof Modes)[number];

/** The mode that a functions word names; accelerator before CCA before EP11, as the kernel asks. */
export function modeOf(functions: number): Mode | undefined {
  if (functions & Functions.accelerator) return "accelerator";
  if (functions & Functions.cca) return "cca";
  if (functions & Functions.ep11) return "ep11";
  return undefined;
}
