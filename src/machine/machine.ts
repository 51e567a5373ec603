import { type Apqn, adapterOf, apqn, domainOf } from "../ap/apqn.ts";
import { Mask } from "../ap/mask.ts";
import {
  AddressingError,
  type ApPlatform,
  AqicControl,
  type Cpu,
  Facility,
  type InstructionResult,
  type PlatformEvents,
  PqapFlag,
  PqapFunction,
} from "../ap/platform.ts";
import { encodeQci, type QciBlock } from "../ap/qci.ts";
import { Functions, lowInfoWord, type QueueInfo } from "../ap/queue-info.ts";
import { encodeStatus, ResponseCode, responseCodeOf } from "../ap/status.ts";
import type { AdapterProcessor } from "./adapter/processor.ts";
import { refusingProcessor } from "./adapter/processor.ts";
import { type AdapterProfile, firstPassThroughType } from "./adapter-profile.ts";
import { Queue } from "./queue.ts";

/**
 * The AP hardware of one LPAR. Two sides: what the HMC does to it (adapters, domains, configured, checkstop) and the three
 * instructions. It owns every queue; nothing above reads its fields. An instruction never waits and never throws: what is out
 * of range is a response code or a program interruption. Instruction semantics as Linux uses and KVM checks them
 * (arch/s390/include/asm/ap.h, arch/s390/kvm); the architecture itself is not published.
 */
export interface MachineProfile {
  readonly facilities: {
    readonly ap: boolean;
    readonly qci: boolean;
    readonly apft: boolean;
    readonly apqi: boolean;
    readonly apxa: boolean;
  };
  /** Further flags of the QCI block. APSC is on with QCI. */
  readonly qact: boolean;
  readonly rc8a: boolean;
  readonly apsb: boolean;
  readonly maxAdapter: number;
  readonly maxDomain: number;
  /** How long a reset of a queue takes, in milliseconds of the clock; 0: it is done at once. */
  readonly resetDurationMs: number;
  /** Whether a change of the configuration is announced to the operating system (CHSC) or only found by its scans. */
  readonly announcesChanges: boolean;
}

export const fullMachine: MachineProfile = {
  facilities: { ap: true, qci: true, apft: true, apqi: true, apxa: true },
  qact: false,
  rc8a: false,
  apsb: false,
  maxAdapter: 255,
  maxDomain: 255,
  resetDurationMs: 0,
  announcesChanges: true,
};

/** Ids that can be named without extended addressing. */
const classicMaxAdapter = 63;
const classicMaxDomain = 15;
const defaultMessageBytes = 12 * 1024;

interface Adapter {
  readonly profile: AdapterProfile;
  isConfigured: boolean;
}

export class Machine implements ApPlatform {
  #adapters = new Map<number, Adapter>();
  #checkstopped = Mask.none;
  #usageDomains = Mask.none;
  #controlDomains = Mask.none;
  #queues = new Map<Apqn, Queue>();
  #listeners: PlatformEvents[] = [];
  readonly #resetObservers: ((name: "RAPQ" | "ZAPQ", queue: Apqn) => void)[] = [];

  constructor(
    readonly profile: MachineProfile,
    readonly nowMs: () => number,
    readonly processor: AdapterProcessor = refusingProcessor,
  ) {}

  // What the HMC does.

  /** Installs an adapter, configured; replaces what was there. Its checkstop state stays as last set for that id. */
  addAdapter(id: number, profile: AdapterProfile): void {
    this.#dropQueuesOf(id);
    this.#adapters.set(id, { profile, isConfigured: true });
    this.#announce();
  }

  removeAdapter(id: number): void {
    if (!this.#adapters.delete(id)) return;
    this.#dropQueuesOf(id);
    this.#announce();
  }

  setConfigured(id: number, isConfigured: boolean): void {
    const adapter = this.#adapters.get(id);
    if (!adapter || adapter.isConfigured === isConfigured) return;
    adapter.isConfigured = isConfigured;
    if (!isConfigured) this.#dropQueuesOf(id);
    this.#announce();
  }

  setCheckstop(id: number, isCheckstopped: boolean): void {
    if (this.#checkstopped.has(id) === isCheckstopped) return;
    this.#checkstopped = isCheckstopped ? this.#checkstopped.with(id) : this.#checkstopped.without(id);
    if (isCheckstopped) this.#dropQueuesOf(id);
    this.#announce();
  }

  setUsageDomain(id: number, isAssigned: boolean): void {
    if (this.#usageDomains.has(id) === isAssigned) return;
    this.#usageDomains = isAssigned ? this.#usageDomains.with(id) : this.#usageDomains.without(id);
    if (!isAssigned) for (const adapter of this.#adapters.keys()) this.#dropQueue(apqn(adapter, id));
    this.#announce();
  }

  setControlDomain(id: number, isAssigned: boolean): void {
    if (this.#controlDomains.has(id) === isAssigned) return;
    this.#controlDomains = isAssigned ? this.#controlDomains.with(id) : this.#controlDomains.without(id);
    this.#announce();
  }

  get adapters(): ReadonlyMap<
    number,
    { readonly profile: AdapterProfile; readonly isConfigured: boolean; readonly isCheckstopped: boolean }
  > {
    return new Map(
      [...this.#adapters].map(([id, { profile, isConfigured }]) => [
        id,
        { profile, isConfigured, isCheckstopped: this.#checkstopped.has(id) },
      ]),
    );
  }

  get domains(): { readonly usage: Mask; readonly control: Mask } {
    return { usage: this.#usageDomains, control: this.#controlDomains };
  }

  /** Calls `observer` for every reset that a queue took: a record of what was cleared. */
  observeResets(observer: (name: "RAPQ" | "ZAPQ", queue: Apqn) => void): void {
    this.#resetObservers.push(observer);
  }

  // What a CPU does.

  hasFacility(bit: number): boolean {
    const { ap, qci, apft, apqi } = this.profile.facilities;
    if (bit === Facility.qci) return ap && qci;
    if (bit === Facility.apft) return ap && apft;
    if (bit === Facility.apqi) return ap && apqi;
    return bit === Facility.msa3;
  }

  listen(events: PlatformEvents): void {
    this.#listeners.push(events);
  }

  configureAdapter(id: number, isConfigured: boolean): void {
    if (!this.#adapters.has(id)) throw new Error(`adapter ${id} is not installed`);
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
    const refused = this.#refuseInstruction(cpu, r1, r2);
    if (refused) return refused;
    const queueNumber = registers[1]! & 0xffff;
    const responseCode = this.#availability(queueNumber);
    const queue = this.#queue(queueNumber);
    if (responseCode !== ResponseCode.normal || !queue) return setStatus(registers, encodeStatus({ responseCode }));
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
    this.processor({ adapter: adapterOf(queueNumber), domain: domainOf(queueNumber), message, isSpecial }, (reply) => {
      if (deliver(reply) && queue.isInterruptEnabled) for (const listener of this.#listeners) listener.queueInterrupt?.(queueNumber);
    });
    return setStatus(registers, queue.statusWord());
  }

  dqap(cpu: Cpu, r1: number, r2: number): InstructionResult {
    const { registers, memory } = cpu;
    const refused = this.#refuseInstruction(cpu, r1, r2);
    if (refused) return refused;
    const queueNumber = registers[1]! & 0xffff;
    const responseCode = this.#availability(queueNumber);
    const queue = this.#queue(queueNumber);
    if (responseCode !== ResponseCode.normal || !queue) return setStatus(registers, encodeStatus({ responseCode }));
    const first = queue.firstReply;
    if (!first) return setStatus(registers, queue.statusWord(ResponseCode.noPendingReply));
    const room = registers[2 * (r1 + 1)] !== 0 ? first.reply.length : registers[2 * (r1 + 1) + 1]!;
    if (first.reply.length > room) return setStatus(registers, queue.statusWord(ResponseCode.messageTooBig));
    try {
      memory.write(addressIn(registers, r1), first.reply);
    } catch (error) {
      if (error instanceof AddressingError) return "addressing";
      throw error;
    }
    queue.dropFirst();
    const end = addressIn(registers, r1) + first.reply.length;
    registers[2 * r1] = Math.floor(end / 2 ** 32);
    registers[2 * r1 + 1] = end >>> 0;
    registers[2 * (r1 + 1) + 1] = room - first.reply.length;
    registers[2 * r2] = 0;
    registers[2 * r2 + 1] = first.id.high;
    registers[2 * (r2 + 1)] = 0;
    registers[2 * (r2 + 1) + 1] = first.id.low;
    registers[4] = 0;
    registers[5] = 0;
    return setStatus(registers, queue.statusWord());
  }

  // Inside.

  #refuseInstruction(cpu: Cpu, r1: number, r2: number): InstructionResult | undefined {
    if (!this.profile.facilities.ap) return "operation";
    if (cpu.problemState) return "privileged-operation";
    if ((r1 & 1) !== 0 || (r2 & 1) !== 0 || r1 > 14 || r2 > 14) return "specification";
    return this.#isBeyondAddressing(cpu.registers[1]! & 0xffff) ? "specification" : undefined;
  }

  #isBeyondAddressing(queue: Apqn): boolean {
    return !this.profile.facilities.apxa && (adapterOf(queue) > classicMaxAdapter || domainOf(queue) > classicMaxDomain);
  }

  #availability(queue: Apqn): number {
    const adapter = this.#adapters.get(adapterOf(queue));
    if (!adapter || !this.#usageDomains.has(domainOf(queue)) || domainOf(queue) > adapter.profile.maxDomain)
      return ResponseCode.queueNotAvailable;
    if (!adapter.isConfigured) return ResponseCode.deconfigured;
    if (this.#checkstopped.has(adapterOf(queue))) return ResponseCode.checkstopped;
    if (this.#queues.get(queue)?.isResetting(this.nowMs())) return ResponseCode.resetInProgress;
    return ResponseCode.normal;
  }

  #queue(queue: Apqn): Queue | undefined {
    const known = this.#queues.get(queue);
    if (known) return known;
    const adapter = this.#adapters.get(adapterOf(queue));
    if (!adapter) return undefined;
    const made = new Queue(adapter.profile.depth);
    this.#queues.set(queue, made);
    return made;
  }

  #messageBytes(queue: Apqn): number {
    const units = this.#adapters.get(adapterOf(queue))?.profile.messageLimit ?? 0;
    return units === 0 ? defaultMessageBytes : units * 4096;
  }

  #test(registers: Uint32Array, queue: Apqn, withFacilities: boolean): InstructionResult {
    const responseCode = this.#availability(queue);
    registers[4] = 0;
    registers[5] = 0;
    const adapter = this.#adapters.get(adapterOf(queue));
    if (adapter && responseCode !== ResponseCode.queueNotAvailable) {
      const info: QueueInfo = { ...adapter.profile, depth: adapter.profile.depth - 1 };
      // Without the facilities test only the older adapters say what they are.
      if (withFacilities || adapter.profile.type < firstPassThroughType) registers[5] = lowInfoWord(info);
      if (withFacilities) registers[4] = info.functions;
    }
    const known = this.#queues.get(queue);
    if (responseCode === ResponseCode.normal && known) return setStatus(registers, known.statusWord());
    return setStatus(registers, encodeStatus({ queueEmpty: responseCode === ResponseCode.normal, responseCode }));
  }

  #reset(registers: Uint32Array, queue: Apqn, name: "RAPQ" | "ZAPQ"): InstructionResult {
    const responseCode = this.#availability(queue);
    if (responseCode !== ResponseCode.normal) return setStatus(registers, encodeStatus({ responseCode }));
    for (const observer of this.#resetObservers) observer(name, queue);
    const known = this.#queues.get(queue);
    if (known || this.profile.resetDurationMs > 0) this.#queue(queue)?.reset(this.nowMs(), this.profile.resetDurationMs);
    return setStatus(registers, encodeStatus({ queueEmpty: true }));
  }

  #controlInterrupt(registers: Uint32Array, queueNumber: Apqn): InstructionResult {
    const responseCode = this.#availability(queueNumber);
    const queue = responseCode === ResponseCode.normal ? this.#queue(queueNumber) : undefined;
    if (!queue) return setStatus(registers, encodeStatus({ responseCode }));
    const enable = (registers[2]! & AqicControl.irHigh) !== 0;
    if (queue.isInterruptEnabled === enable) return setStatus(registers, queue.statusWord(ResponseCode.otherwiseChanged));
    if (enable && registers[4] === 0 && registers[5] === 0) return setStatus(registers, queue.statusWord(ResponseCode.invalidAddress));
    queue.isInterruptEnabled = enable;
    return setStatus(registers, queue.statusWord());
  }

  /** GR1 bits 32-39 name the newest type the caller knows; GR2 bits 32-39 answer with a type that is compatible to it. */
  #queryCompatibleType(registers: Uint32Array, queue: Apqn): InstructionResult {
    const adapter = this.#adapters.get(adapterOf(queue));
    const responseCode = this.#availability(queue);
    const requested = registers[3]! >>> 24;
    registers[4] = 0;
    registers[5] = 0;
    if (adapter && responseCode === ResponseCode.normal) {
      const modes = Functions.cca | Functions.accelerator | Functions.ep11;
      registers[4] = (adapter.profile.functions & modes) >>> 0;
      registers[5] = (Math.min(adapter.profile.type, requested) << 24) >>> 0;
    }
    return setStatus(registers, encodeStatus({ queueEmpty: true, responseCode }));
  }

  #queryConfiguration(cpu: Cpu): InstructionResult {
    if (!this.hasFacility(Facility.qci)) return "specification";
    try {
      cpu.memory.write(addressIn(cpu.registers, 2), encodeQci(this.#qci()));
    } catch (error) {
      if (error instanceof AddressingError) return "addressing";
      throw error;
    }
    return 0;
  }

  #qci(): QciBlock {
    const { facilities, qact, rc8a, apsb, maxAdapter, maxDomain } = this.profile;
    return {
      apsc: true,
      apxa: facilities.apxa,
      qact,
      rc8a,
      apsb,
      maxAdapter: facilities.apxa ? maxAdapter : 0,
      maxDomain: facilities.apxa ? maxDomain : 0,
      adapters: Mask.from(this.#adapters.keys()),
      usageDomains: this.#usageDomains,
      controlDomains: this.#controlDomains,
    };
  }

  #dropQueuesOf(adapter: number): void {
    for (const domain of this.#usageDomains) this.#dropQueue(apqn(adapter, domain));
  }

  /** What was in the queue is gone, and a late reply to it finds nobody. */
  #dropQueue(queue: Apqn): void {
    this.#queues.get(queue)?.reset(this.nowMs(), 0);
    this.#queues.delete(queue);
  }

  #announce(): void {
    if (this.profile.announcesChanges) for (const listener of this.#listeners) listener.configurationChanged?.();
  }
}

/** Status into the right word of general register 1, zero into the left one. */
function setStatus(registers: Uint32Array, word: number): InstructionResult {
  registers[2] = 0;
  registers[3] = word;
  return responseCodeOf(word) === ResponseCode.normal ? 0 : 3;
}

const addressIn = (registers: Uint32Array, register: number): number => registers[2 * register]! * 2 ** 32 + registers[2 * register + 1]!;
