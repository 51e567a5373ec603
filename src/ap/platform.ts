import type { Mask } from "./mask.ts";

/**
 * What an operating system sees of AP: three instructions at register level, facility bits, and notices.
 * An LPAR and a virtual machine both offer this; the AP bus of a Linux uses nothing else.
 */

/** Real or guest-real memory, big endian. Reads and writes outside it throw AddressingError. */
export interface Memory {
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
}

export class AddressingError extends Error {}

/** The part of a CPU that an AP instruction touches. */
export interface Cpu {
  /** General registers 0-15 as 32 words: word 2n is bits 0-31 of register n, word 2n+1 bits 32-63. */
  readonly registers: Uint32Array;
  readonly memory: Memory;
  readonly problemState: boolean;
  /** What the CPU's guest may reach, from its control block; absent: the CPU runs no guest. */
  readonly guestDomains?: DomainMasks;
}

/** The domains whose queues may be used, and those that may be controlled. */
export interface DomainMasks {
  readonly usageDomains: Mask;
  readonly controlDomains: Mask;
}

export type ProgramInterruption = "operation" | "privileged-operation" | "specification" | "addressing";

/** A condition code, or the program interruption that was recognised instead. */
export type InstructionResult = 0 | 1 | 2 | 3 | ProgramInterruption;

/** STFLE bits that have to do with AP. */
export const Facility = { qci: 12, apft: 15, apqi: 65, msa3: 76 } as const;

export interface PlatformEvents {
  /** CHSC: the AP configuration changed; look again. */
  configurationChanged?(): void;
  /** An adapter interruption: the queue's notification indicator byte was set. */
  queueInterrupt?(queue: number): void;
}

export interface ApPlatform {
  hasFacility(bit: number): boolean;
  pqap(cpu: Cpu): InstructionResult;
  /** R1 and R2 are the numbers of the instruction's even registers. */
  nqap(cpu: Cpu, r1: number, r2: number): InstructionResult;
  dqap(cpu: Cpu, r1: number, r2: number): InstructionResult;
  /** SCLP configure and deconfigure of an adapter; absent in a guest. Throws Error with `code` EIO or EOPNOTSUPP of the caller's choosing. */
  configureAdapter?(adapter: number, configured: boolean): void;
  listen(events: PlatformEvents): void;
}

/** Function codes of PQAP, bits 32-39 of general register 0. */
export const PqapFunction = { tapq: 0, rapq: 1, zapq: 2, aqic: 3, qci: 4, qact: 5, bapq: 7, aapq: 8 } as const;

/** Flag bits in the right half of general register 0. */
export const PqapFlag = { t: 0x00800000, f: 0x00400000, i: 0x00400000, reserved: 0x007f0000 } as const;

/** PQAP(AQIC) control in general register 1: bit 16 is IR, in the left word. */
export const AqicControl = { irHigh: 0x00008000, iscLow: 0x7 } as const;
