import { type Apqn, adapterOf, domainOf } from "../ap/apqn.ts";
import {
  AddressingError,
  type ApPlatform,
  AqicControl,
  type Cpu,
  type DomainMasks,
  Facility,
  type InstructionResult,
  type PlatformEvents,
  PqapFlag,
  PqapFunction,
} from "../ap/platform.ts";
import { encodeQci } from "../ap/qci.ts";
import { Functions, lowInfoWord, type QueueInfo } from "../ap/queue-info.ts";
import { encodeStatus, ResponseCode, responseCodeOf } from "../ap/status.ts";
import { type AdapterProcessor, refusingProcessor } from "./adapter/processor.ts";
import { firstPassThroughType } from "./adapter-profile.ts";
import { Lpar, type MachineProfile } from "./lpar.ts";

/**
 * The three AP instructions of one LPAR. An instruction never waits and never throws: what is out of range is a response code or a
 * program interruption. Semantics as Linux uses and KVM checks them (arch/s390/include/asm/ap.h, arch/s390/kvm); the
 * architecture itself is not published.
 */
/** Ids that can be named without extended addressing. */
const classicMaxAdapter = 63;
const classicMaxDomain = 15;
const defaultMessageBytes = 12 * 1024;

export class Machine extends Lpar implements ApPlatform {
  readonly #resetObservers: ((name: "RAPQ" | "ZAPQ", queue: Apqn) => void)[] = [];

  constructor(
    profile: MachineProfile,
    nowMs: () => number,
    readonly processor: AdapterProcessor = refusingProcessor,
  ) {
    super(profile, nowMs);
  }

  /** Calls `observer` for every reset that a queue took: a record of what was cleared. */
  observeResets(observer: (name: "RAPQ" | "ZAPQ", queue: Apqn) => void): void {
    this.#resetObservers.push(observer);
  }

  hasFacility(bit: number): boolean {
    const { ap, qci, apft, apqi } = this.profile.facilities;
    if (bit === Facility.qci) return ap && qci;
    if (bit === Facility.apft) return ap && apft;
    if (bit === Facility.apqi) return ap && apqi;
    return bit === Facility.msa3;
  }

  /** Calls `listener` once when the queue has a reply or is reset; the returned function takes it back. Undefined if no reply is to come. */
  onReply(queue: Apqn, listener: () => void): (() => void) | undefined {
    const known = this.usedQueue(queue);
    return known && !known.isEmpty ? known.onReply(listener) : undefined;
  }

  listen(events: PlatformEvents): void {
    this.listeners.push(events);
  }

  configureAdapter(id: number, isConfigured: boolean): void {
    if (!this.adapters.has(id)) throw new Error(`adapter ${id} is not installed`);
    this.setConfigured(id, isConfigured);
  }

  pqap(cpu: Cpu): InstructionResult {
    const { registers } = cpu;
    if (!this.profile.facilities.ap) return "operation";
    if (cpu.problemState) return "privileged-operation";
    const low = registers[1]!;
    const code = low >>> 24;
    if (code === PqapFunction.qci) return this.#queryConfiguration(cpu);
    const queue = low & 0xffff;
    if (code === PqapFunction.tapq && (low & PqapFlag.t) !== 0 && !this.hasFacility(Facility.apft)) return "specification";
    if (code === PqapFunction.aqic && !this.hasFacility(Facility.apqi)) return "specification";
    if (this.#isBeyondAddressing(queue)) return "specification";
    switch (code) {
      case PqapFunction.tapq:
        return this.#test(registers, queue, (low & PqapFlag.t) !== 0);
      case PqapFunction.rapq:
      case PqapFunction.zapq:
        return this.#reset(registers, queue, code === PqapFunction.rapq ? "RAPQ" : "ZAPQ");
      case PqapFunction.aqic:
        return this.#controlInterrupt(registers, queue);
      case PqapFunction.qact:
        return this.profile.qact ? this.#queryCompatibleType(registers, queue) : "specification";
      case PqapFunction.bapq:
      case PqapFunction.aapq:
        // No secure guest runs on this machine: the function is not there.
        return "specification";
      default:
        return "specification";
    }
  }

  nqap(cpu: Cpu, r1: number, r2: number): InstructionResult {
    const { registers, memory } = cpu;
    const refused = this.#refuseTransfer(cpu, r1, r2);
    if (refused !== undefined) return refused;
    const queueNumber = registers[1]! & 0xffff;
    const queue = this.queue(queueNumber);
    if (queue.isFull) return setStatus(registers, queue.statusWord(ResponseCode.queueFull));
    const length = registers[2 * (r2 + 1) + 1]!;
    if (registers[2 * (r2 + 1)] !== 0 || length > this.#messageBytes(queueNumber)) {
      return setStatus(registers, queue.statusWord(ResponseCode.messageTooBig));
    }
    let message: Uint8Array;
    try {
      message = memory.read(addressIn(registers, r2), length);
    } catch (error) {
      if (error instanceof AddressingError) return "addressing";
      throw error;
    }
    const deliver = queue.enqueue({ high: registers[2 * r1 + 1]!, low: registers[2 * (r1 + 1) + 1]! });
    const isSpecial = (registers[1]! & PqapFlag.f) !== 0;
    const adapter = adapterOf(queueNumber);
    const profile = this.adapterProfile(adapter)!;
    const domains = this.#domainsOf(cpu);
    const request = { adapter, domain: domainOf(queueNumber), profile, message, isSpecial, epoch: queue.epoch, ...domains };
    this.processor(request, (reply) => {
      if (deliver(reply) && queue.isInterruptEnabled) for (const listener of this.listeners) listener.queueInterrupt?.(queueNumber);
    });
    return setStatus(registers, queue.statusWord());
  }

  dqap(cpu: Cpu, r1: number, r2: number): InstructionResult {
    const { registers, memory } = cpu;
    const refused = this.#refuseTransfer(cpu, r1, r2);
    if (refused !== undefined) return refused;
    const queueNumber = registers[1]! & 0xffff;
    const queue = this.queue(queueNumber);
    const first = queue.firstReply;
    if (!first) return setStatus(registers, queue.statusWord(ResponseCode.noPendingReply));
    // R1 takes the message's identifier, R2 designates the buffer.
    const room = registers[2 * (r2 + 1)] !== 0 ? first.reply.length : registers[2 * (r2 + 1) + 1]!;
    if (first.reply.length > room) return setStatus(registers, queue.statusWord(ResponseCode.messageTooBig));
    const address = addressIn(registers, r2);
    try {
      memory.write(address, first.reply);
    } catch (error) {
      if (error instanceof AddressingError) return "addressing";
      throw error;
    }
    queue.dropFirst();
    const end = address + first.reply.length;
    registers[2 * r2] = Math.floor(end / 2 ** 32);
    registers[2 * r2 + 1] = end >>> 0;
    registers[2 * (r2 + 1) + 1] = room - first.reply.length;
    registers[2 * r1] = 0;
    registers[2 * r1 + 1] = first.id.high;
    registers[2 * (r1 + 1)] = 0;
    registers[2 * (r1 + 1) + 1] = first.id.low;
    registers[4] = 0;
    registers[5] = 0;
    return setStatus(registers, queue.statusWord());
  }

  #domainsOf({ guestDomains }: Cpu): DomainMasks {
    const { usage, control } = this.domains;
    if (!guestDomains) return { usageDomains: usage, controlDomains: control };
    return { usageDomains: usage.and(guestDomains.usageDomains), controlDomains: control.and(guestDomains.controlDomains) };
  }

  /** What NQAP and DQAP answer instead of doing anything; undefined when the queue is available. */
  #refuseTransfer({ registers, problemState }: Cpu, r1: number, r2: number): InstructionResult | undefined {
    if (!this.profile.facilities.ap) return "operation";
    if (problemState) return "privileged-operation";
    if ((r1 & 1) !== 0 || (r2 & 1) !== 0 || r1 > 14 || r2 > 14) return "specification";
    const queue = registers[1]! & 0xffff;
    if (this.#isBeyondAddressing(queue)) return "specification";
    const responseCode = this.availability(queue);
    return responseCode === ResponseCode.normal ? undefined : setStatus(registers, encodeStatus({ responseCode }));
  }

  #isBeyondAddressing(queue: Apqn): boolean {
    return !this.profile.facilities.apxa && (adapterOf(queue) > classicMaxAdapter || domainOf(queue) > classicMaxDomain);
  }

  #messageBytes(queue: Apqn): number {
    const units = this.adapterProfile(adapterOf(queue))?.messageLimit ?? 0;
    return units === 0 ? defaultMessageBytes : units * 4096;
  }

  #test(registers: Uint32Array, queue: Apqn, withFacilities: boolean): InstructionResult {
    const responseCode = this.availability(queue);
    registers[4] = 0;
    registers[5] = 0;
    const profile = this.adapterProfile(adapterOf(queue));
    if (profile && responseCode !== ResponseCode.queueNotAvailable) {
      const info: QueueInfo = { ...profile, depth: profile.depth - 1 };
      // Without the facilities test only the older adapters say what they are.
      if (withFacilities || profile.type < firstPassThroughType) registers[5] = lowInfoWord(info);
      if (withFacilities) registers[4] = info.functions;
    }
    const known = this.usedQueue(queue);
    if (responseCode === ResponseCode.normal && known) return setStatus(registers, known.statusWord());
    return setStatus(registers, encodeStatus({ queueEmpty: responseCode === ResponseCode.normal, responseCode }));
  }

  #reset(registers: Uint32Array, queue: Apqn, name: "RAPQ" | "ZAPQ"): InstructionResult {
    const responseCode = this.availability(queue);
    if (responseCode !== ResponseCode.normal) return setStatus(registers, encodeStatus({ responseCode }));
    for (const observer of this.#resetObservers) observer(name, queue);
    const known = this.usedQueue(queue);
    if (known || this.profile.resetDurationMs > 0) this.queue(queue).reset(this.nowMs(), this.profile.resetDurationMs);
    return setStatus(registers, encodeStatus({ queueEmpty: true }));
  }

  #controlInterrupt(registers: Uint32Array, queueNumber: Apqn): InstructionResult {
    const responseCode = this.availability(queueNumber);
    if (responseCode !== ResponseCode.normal) return setStatus(registers, encodeStatus({ responseCode }));
    const queue = this.queue(queueNumber);
    const enable = (registers[2]! & AqicControl.irHigh) !== 0;
    if (queue.isInterruptEnabled === enable) return setStatus(registers, queue.statusWord(ResponseCode.otherwiseChanged));
    if (enable && registers[4] === 0 && registers[5] === 0) return setStatus(registers, queue.statusWord(ResponseCode.invalidAddress));
    queue.isInterruptEnabled = enable;
    return setStatus(registers, queue.statusWord());
  }

  /** GR1 bits 32-39 name the newest type the caller knows; GR2 bits 32-39 answer with a type that is compatible to it. */
  #queryCompatibleType(registers: Uint32Array, queue: Apqn): InstructionResult {
    const profile = this.adapterProfile(adapterOf(queue));
    const responseCode = this.availability(queue);
    const requested = registers[3]! >>> 24;
    registers[4] = 0;
    registers[5] = 0;
    if (profile && responseCode === ResponseCode.normal) {
      const modes = Functions.cca | Functions.accelerator | Functions.ep11;
      registers[4] = (profile.functions & modes) >>> 0;
      registers[5] = (Math.min(profile.type, requested) << 24) >>> 0;
    }
    return setStatus(registers, encodeStatus({ queueEmpty: true, responseCode }));
  }

  #queryConfiguration(cpu: Cpu): InstructionResult {
    if (!this.hasFacility(Facility.qci)) return "specification";
    try {
      cpu.memory.write(addressIn(cpu.registers, 2), encodeQci(this.configuration));
    } catch (error) {
      if (error instanceof AddressingError) return "addressing";
      throw error;
    }
    return 0;
  }
}

/** Status into the right word of general register 1, zero into the left one. */
function setStatus(registers: Uint32Array, word: number): InstructionResult {
  registers[2] = 0;
  registers[3] = word;
  return responseCodeOf(word) === ResponseCode.normal ? 0 : 3;
}

const addressIn = (registers: Uint32Array, register: number): number => registers[2 * register]! * 2 ** 32 + registers[2 * register + 1]!;
