import { type Apqn, adapterOf, domainOf } from "../ap/apqn.ts";
import {
  AddressingError,
  type ApPlatform,
  type Cpu,
  Facility,
  type InstructionResult,
  type PlatformEvents,
  PqapFlag,
  PqapFunction,
} from "../ap/platform.ts";
import { decodeQci, encodeQci, qciBlockBytes } from "../ap/qci.ts";
import { encodeStatus, ResponseCode } from "../ap/status.ts";
import { type ApMasks, Crycb, type CrycbFormat, noMasks } from "./crycb.ts";

/**
 * A guest's crypto: its CRYCB, and AP instructions interpreted through it over the platform below. It knows nothing of Linux:
 * whoever serves the guest sets and clears masks and may hook PQAP(AQIC).
 * Source: Linux arch/s390/kvm (handle_pqap, kvm_arch_crypto_set_masks, kvm_s390_set_crycb_format).
 */
export interface GuestFacilities {
  readonly ap: boolean;
  readonly qci: boolean;
  readonly apft: boolean;
  readonly apqi: boolean;
  readonly msa3: boolean;
}

export const allGuestFacilities: GuestFacilities = { ap: true, qci: true, apft: true, apqi: true, msa3: true };

/** Answers an intercepted PQAP(AQIC): the status word for general register 1. `undefined`: leave it to user space. */
export type AqicHook = (request: { readonly queue: Apqn; readonly registers: Uint32Array }) => number | undefined;

/** Bits of a queue number that need extended addressing. */
const extendedQueueBits = 0xc0f0;

export class VirtualMachine implements ApPlatform {
  readonly crycb: Crycb;
  aqicHook: AqicHook | undefined;
  #listeners: PlatformEvents[] = [];

  constructor(
    readonly platform: ApPlatform,
    readonly facilities: GuestFacilities = allGuestFacilities,
  ) {
    this.crycb = new Crycb(crycbFormat(platform, facilities));
  }

  // For the driver that serves this guest.

  get masks(): ApMasks {
    return this.facilities.ap ? this.crycb.read() : noMasks;
  }

  setMasks(masks: ApMasks): void {
    this.crycb.write(masks);
  }

  clearMasks(): void {
    this.crycb.clear();
  }

  /** Tells the guest that its AP configuration changed. */
  announceConfigurationChange(): void {
    for (const listener of this.#listeners) listener.configurationChanged?.();
  }

  /** Tells the guest that one of its queues interrupts. */
  interruptQueue(queue: Apqn): void {
    for (const listener of this.#listeners) listener.queueInterrupt?.(queue);
  }

  // For the guest's CPUs.

  hasFacility(bit: number): boolean {
    const { ap, qci, apft, apqi, msa3 } = this.facilities;
    if (bit === Facility.msa3) return msa3;
    const offered = (bit === Facility.qci && qci) || (bit === Facility.apft && apft) || (bit === Facility.apqi && apqi);
    return ap && offered && this.platform.hasFacility(bit);
  }

  listen(events: PlatformEvents): void {
    this.#listeners.push(events);
  }

  /** The operating system that listened is gone. */
  forgetListeners(): void {
    this.#listeners = [];
  }

  pqap(cpu: Cpu): InstructionResult {
    const { registers } = cpu;
    if (!this.facilities.ap) return "operation";
    if (cpu.problemState) return "privileged-operation";
    const low = registers[1]!;
    const code = low >>> 24;
    if (code === PqapFunction.qci) return this.#queryConfiguration(cpu);
    if (code === PqapFunction.aqic) return this.#interceptAqic(registers);
    if (code === PqapFunction.tapq && (low & PqapFlag.t) !== 0 && !this.hasFacility(Facility.apft)) return "specification";
    if (this.#isBeyondAddressing(low)) return "specification";
    return this.#owns(low & 0xffff) ? this.platform.pqap(cpu) : notAvailable(registers, code === PqapFunction.tapq);
  }

  nqap(cpu: Cpu, r1: number, r2: number): InstructionResult {
    return this.#refuse(cpu, r1, r2) ?? this.platform.nqap(this.#asGuest(cpu), r1, r2);
  }

  dqap(cpu: Cpu, r1: number, r2: number): InstructionResult {
    return this.#refuse(cpu, r1, r2) ?? this.platform.dqap(cpu, r1, r2);
  }

  #refuse(cpu: Cpu, r1: number, r2: number): InstructionResult | undefined {
    const queue = cpu.registers[1]! & 0xffff;
    if (!this.facilities.ap) return "operation";
    if (cpu.problemState) return "privileged-operation";
    if ((r1 & 1) !== 0 || (r2 & 1) !== 0 || this.#isBeyondAddressing(queue)) return "specification";
    return this.#owns(queue) ? undefined : notAvailable(cpu.registers, false);
  }

  /** The CPU as it runs the guest: what it sends carries the guest's domains, within those of a guest around it. */
  #asGuest({ registers, memory, problemState, guestDomains: outer }: Cpu): Cpu {
    const { usageDomains, controlDomains } = this.masks;
    const guestDomains = {
      usageDomains: outer ? usageDomains.and(outer.usageDomains) : usageDomains,
      controlDomains: outer ? controlDomains.and(outer.controlDomains) : controlDomains,
    };
    return { registers, memory, problemState, guestDomains };
  }

  #owns(queue: Apqn): boolean {
    const { adapters, usageDomains } = this.masks;
    return adapters.has(adapterOf(queue)) && usageDomains.has(domainOf(queue));
  }

  #isBeyondAddressing(low: number): boolean {
    return this.crycb.format !== 2 && (low & extendedQueueBits) !== 0;
  }

  #interceptAqic(registers: Uint32Array): InstructionResult {
    const low = registers[1]!;
    if ((low & PqapFlag.reserved) !== 0) return "specification";
    if ((low & PqapFlag.t) !== 0 && !this.hasFacility(Facility.apft)) return "specification";
    if (this.#isBeyondAddressing(low)) return "specification";
    if (!this.hasFacility(Facility.apqi)) return "specification";
    if (!this.aqicHook) return notAvailable(registers, false);
    const status = this.aqicHook({ queue: low & 0xffff, registers });
    if (status === undefined) return "operation";
    registers[2] = 0;
    registers[3] = status;
    return (status & 0x00ff0000) !== 0 ? 3 : 0;
  }

  /** The platform's block with this guest's masks. */
  #queryConfiguration(cpu: Cpu): InstructionResult {
    if (!this.hasFacility(Facility.qci)) return "specification";
    const block = new Uint8Array(qciBlockBytes);
    const registers = new Uint32Array(32);
    registers[1] = PqapFunction.qci << 24;
    const memory = { read: () => block, write: (_address: number, bytes: Uint8Array) => block.set(bytes) };
    const result = this.platform.pqap({ registers, memory, problemState: false });
    if (result !== 0) return result;
    const host = decodeQci(block);
    const masks = this.masks;
    const guest = {
      ...host,
      apxa: host.apxa && this.crycb.format === 2,
      adapters: host.adapters.and(masks.adapters),
      usageDomains: host.usageDomains.and(masks.usageDomains),
      controlDomains: host.controlDomains.and(masks.controlDomains),
    };
    try {
      cpu.memory.write(cpu.registers[4]! * 2 ** 32 + cpu.registers[5]!, encodeQci(guest));
    } catch (error) {
      if (error instanceof AddressingError) return "addressing";
      throw error;
    }
    return 0;
  }
}

function crycbFormat(platform: ApPlatform, facilities: GuestFacilities): CrycbFormat {
  if (!facilities.msa3) return 0;
  return hasExtendedAddressing(platform) ? 2 : 1;
}

function hasExtendedAddressing(platform: ApPlatform): boolean {
  const block = new Uint8Array(qciBlockBytes);
  const registers = new Uint32Array(32);
  registers[1] = PqapFunction.qci << 24;
  const memory = { read: () => block, write: (_address: number, bytes: Uint8Array) => block.set(bytes) };
  return platform.pqap({ registers, memory, problemState: false }) === 0 && decodeQci(block).apxa;
}

function notAvailable(registers: Uint32Array, clearsInfo: boolean): InstructionResult {
  registers[2] = 0;
  registers[3] = encodeStatus({ responseCode: ResponseCode.queueNotAvailable });
  if (clearsInfo) registers.fill(0, 4, 6);
  return 3;
}
