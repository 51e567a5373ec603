import type { Apqn } from "../../ap/apqn.ts";
import { AddressingError, type ApPlatform, type Cpu, Facility, type Memory, PqapFlag, PqapFunction } from "../../ap/platform.ts";
import { decodeQci, type QciBlock, qciBlockBytes } from "../../ap/qci.ts";
import { ResponseCode, responseCodeOf } from "../../ap/status.ts";

/**
 * The AP instructions as this Linux issues them: one CPU whose memory is one scratch area.
 * Source: Linux arch/s390/include/asm/ap.h.
 */
const scratchBytes = 64 * 1024;

class Scratch implements Memory {
  readonly bytes = new Uint8Array(scratchBytes);

  read(address: number, length: number): Uint8Array {
    if (address + length > scratchBytes) throw new AddressingError();
    return this.bytes.slice(address, address + length);
  }

  write(address: number, bytes: Uint8Array): void {
    if (address + bytes.length > scratchBytes) throw new AddressingError();
    this.bytes.set(bytes, address);
  }
}

export interface TapqResult {
  readonly status: number;
  readonly responseCode: number;
  /** The two words of general register 2. */
  readonly high: number;
  readonly low: number;
}

/** Where the kernel keeps its notification indicator byte; any address but 0. */
const nibAddress = 0x1000;
const irqControlHigh = 0x00008000;

export class ApInstructions {
  readonly #memory = new Scratch();
  readonly #cpu: Cpu = { registers: new Uint32Array(32), memory: this.#memory, problemState: false };
  readonly hasApft: boolean;

  constructor(readonly platform: ApPlatform) {
    this.hasApft = platform.hasFacility(Facility.apft);
  }

  /** Whether AP instructions are installed: TAPQ of queue 0 gives no operation exception. */
  get areAvailable(): boolean {
    this.#cpu.registers.fill(0);
    return this.platform.pqap(this.#cpu) !== "operation";
  }

  tapq(queue: Apqn): TapqResult {
    const { registers } = this.#cpu;
    const status = this.#pqap(PqapFunction.tapq, queue | (this.hasApft ? PqapFlag.t : 0));
    return { status, responseCode: responseCodeOf(status), high: registers[4]!, low: registers[5]! };
  }

  rapq(queue: Apqn): number {
    return this.#pqap(PqapFunction.rapq, queue);
  }

  zapq(queue: Apqn): number {
    return this.#pqap(PqapFunction.zapq, queue);
  }

  aqic(queue: Apqn, enable: boolean): number {
    const { registers } = this.#cpu;
    registers[2] = enable ? irqControlHigh : 0;
    registers[3] = 0;
    registers[4] = 0;
    registers[5] = nibAddress;
    return this.#pqap(PqapFunction.aqic, queue);
  }

  /** Undefined when the facility is not there. */
  qci(): QciBlock | undefined {
    if (!this.platform.hasFacility(Facility.qci)) return undefined;
    const { registers } = this.#cpu;
    registers[0] = 0;
    registers[1] = PqapFunction.qci << 24;
    registers[4] = 0;
    registers[5] = 0;
    return this.platform.pqap(this.#cpu) === 0 ? decodeQci(this.#memory.bytes.subarray(0, qciBlockBytes)) : undefined;
  }

  /** The newest type up to `newest` that the queue's adapter is compatible with, 0 if there is none. */
  compatibleType(queue: Apqn, functions: number, newest: number): number {
    const { registers } = this.#cpu;
    registers[2] = functions;
    registers[3] = newest << 24;
    const status = this.#pqap(PqapFunction.qact, queue);
    return responseCodeOf(status) === ResponseCode.normal ? registers[5]! >>> 24 : 0;
  }

  /** Status word. `id` is the 64-bit message identifier as a number below 2^53. */
  nqap(queue: Apqn, id: number, message: Uint8Array, isSpecial: boolean): number {
    const { registers } = this.#cpu;
    if (message.length > scratchBytes) return ResponseCode.messageTooBig << 16;
    this.#memory.bytes.set(message);
    registers.fill(0);
    registers[1] = (0x40000000 | queue | (isSpecial ? PqapFlag.f : 0)) >>> 0;
    setPair(registers, 4, Math.floor(id / 2 ** 32), id >>> 0);
    setPair(registers, 6, 0, message.length);
    const result = this.platform.nqap(this.#cpu, 4, 6);
    return typeof result === "number" ? registers[3]! : ResponseCode.queueNotAvailable << 16;
  }

  /** Status word, and with response code 00 the reply and its identifier. */
  dqap(queue: Apqn, maxBytes: number): { status: number; id: number; reply: Uint8Array } {
    const { registers } = this.#cpu;
    const room = Math.min(maxBytes, scratchBytes);
    registers.fill(0);
    registers[1] = (0x80000000 | queue) >>> 0;
    setPair(registers, 4, 0, room);
    const result = this.platform.dqap(this.#cpu, 6, 4);
    const status = typeof result === "number" ? registers[3]! : ResponseCode.queueNotAvailable << 16;
    const length = room - registers[11]!;
    return { status, id: registers[13]! * 2 ** 32 + registers[15]!, reply: this.#memory.bytes.slice(0, length) };
  }

  /** Issues PQAP; the status word, response code 01 where an exception came instead. */
  #pqap(code: number, operand: number): number {
    const { registers } = this.#cpu;
    registers[0] = 0;
    registers[1] = ((code << 24) | operand) >>> 0;
    const result = this.platform.pqap(this.#cpu);
    return typeof result === "number" ? registers[3]! : ResponseCode.queueNotAvailable << 16;
  }
}

/** An even and an odd register from two values below 2^32. */
function setPair(registers: Uint32Array, even: number, first: number, second: number): void {
  registers[2 * even] = 0;
  registers[2 * even + 1] = first;
  registers[2 * (even + 1)] = 0;
  registers[2 * (even + 1) + 1] = second;
}
