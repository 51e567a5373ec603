import { AddressingError, type ApPlatform, type Cpu, type InstructionResult, type Memory, PqapFunction } from "../../src/ap/platform.ts";
import { responseCodeOf } from "../../src/ap/status.ts";

/** A small assembler for the AP instructions: operands in, condition code, status and registers out. */
export const memoryBytes = 0x10000;

class TestMemory implements Memory {
  readonly bytes = new Uint8Array(memoryBytes);

  read(address: number, length: number): Uint8Array {
    if (address + length > memoryBytes) throw new AddressingError();
    return this.bytes.slice(address, address + length);
  }

  write(address: number, bytes: Uint8Array): void {
    if (address + bytes.length > memoryBytes) throw new AddressingError();
    this.bytes.set(bytes, address);
  }
}

export interface Answer {
  /** Condition code or program interruption. */
  readonly result: InstructionResult;
  /** General register 1, right word. */
  readonly status: number;
  readonly responseCode: number;
  readonly registers: Uint32Array;
  readonly memory: Uint8Array;
}

export interface PqapOperands {
  readonly queue?: number;
  /** Further bits of the right word of general register 0. */
  readonly flags?: number;
  readonly gr1?: readonly [high: number, low: number];
  readonly gr2?: readonly [high: number, low: number];
  readonly problemState?: boolean;
}

export function pqap(platform: ApPlatform, code: keyof typeof PqapFunction | number, operands: PqapOperands = {}): Answer {
  const number = typeof code === "number" ? code : PqapFunction[code];
  return execute(operands.problemState ?? false, (cpu) => {
    cpu.registers[1] = ((number << 24) | (operands.flags ?? 0) | (operands.queue ?? 0)) >>> 0;
    [cpu.registers[2], cpu.registers[3]] = operands.gr1 ?? [0, 0];
    [cpu.registers[4], cpu.registers[5]] = operands.gr2 ?? [0, 0];
    return platform.pqap(cpu);
  });
}

/** TAPQ with the T bit. */
export const tapq = (platform: ApPlatform, queue: number): Answer => pqap(platform, "tapq", { queue, flags: 0x00800000 });

/** AQIC: general register 1 with IR on or off and an ISC, an address of the indicator byte in general register 2. */
export const aqic = (platform: ApPlatform, queue: number, isOn: boolean, nib = 0x2000): Answer =>
  pqap(platform, "aqic", { queue, gr1: [isOn ? 0x8000 : 0, 3], gr2: [0, nib] });

export interface NqapOperands {
  readonly id?: readonly [high: number, low: number];
  readonly address?: number;
  readonly length?: number;
  readonly flags?: number;
  readonly r1?: number;
  readonly r2?: number;
  readonly problemState?: boolean;
}

export function nqap(platform: ApPlatform, queue: number, message: Uint8Array, operands: NqapOperands = {}): Answer {
  const { r1 = 4, r2 = 6, id = [0, 1], address = 0x100 } = operands;
  return execute(operands.problemState ?? false, (cpu) => {
    cpu.memory.write(0x100, message);
    cpu.registers[1] = (0x40000000 | (operands.flags ?? 0) | queue) >>> 0;
    cpu.registers[2 * r1 + 1] = id[0];
    cpu.registers[2 * (r1 + 1) + 1] = id[1];
    cpu.registers[2 * r2 + 1] = address;
    cpu.registers[2 * (r2 + 1) + 1] = operands.length ?? message.length;
    return platform.nqap(cpu, r1, r2);
  });
}

export interface DqapAnswer extends Answer {
  readonly id: readonly [high: number, low: number];
  readonly reply: Uint8Array;
}

export function dqap(
  platform: ApPlatform,
  queue: number,
  operands: { readonly room?: number; readonly address?: number; readonly r2?: number; readonly problemState?: boolean } = {},
): DqapAnswer {
  const { room = 4096, address = 0x100, r2 = 4 } = operands;
  const answer = execute(operands.problemState ?? false, (cpu) => {
    cpu.registers[1] = (0x80000000 | queue) >>> 0;
    cpu.registers[2 * r2 + 1] = address;
    cpu.registers[2 * (r2 + 1) + 1] = room;
    return platform.dqap(cpu, 6, r2);
  });
  const length = answer.result === 0 ? room - answer.registers[11]! : 0;
  return {
    ...answer,
    id: [answer.registers[13]!, answer.registers[15]!],
    reply: answer.memory.slice(0x100, 0x100 + length),
  };
}

function execute(problemState: boolean, act: (cpu: Cpu) => InstructionResult): Answer {
  const memory = new TestMemory();
  const cpu: Cpu = { registers: new Uint32Array(32), memory, problemState };
  const result = act(cpu);
  const status = cpu.registers[3]!;
  return { result, status, responseCode: responseCodeOf(status), registers: cpu.registers, memory: memory.bytes };
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
