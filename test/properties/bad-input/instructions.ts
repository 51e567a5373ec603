import * as fc from "fast-check";
import { AddressingError, type ApPlatform, type InstructionResult, type Memory } from "../../../src/ap/platform.ts";

/** Any AP instruction with any registers; and a memory that ends. */
export interface AnyInstruction {
  readonly name: "pqap" | "nqap" | "dqap";
  readonly r1: number;
  readonly r2: number;
  readonly problemState: boolean;
  readonly registers: readonly number[];
}

export const memoryBytes = 64 * 1024;

export class SmallMemory implements Memory {
  readonly bytes = new Uint8Array(memoryBytes);

  read(address: number, length: number): Uint8Array {
    this.#refuse(address, length);
    return this.bytes.slice(address, address + length);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#refuse(address, bytes.length);
    this.bytes.set(bytes, address);
  }

  #refuse(address: number, length: number): void {
    if (address + length > memoryBytes) throw new AddressingError();
  }
}

const word = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 8, 100, 4096, 12 * 1024, 12 * 1024 + 1, 61 * 1024, memoryBytes - 1, memoryBytes, 0x7fffffff, 0xffffffff),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0xffffffff }) },
);
const aQueue = fc
  .tuple(fc.constantFrom(0, 1, 2, 64, 255), fc.constantFrom(0, 4, 16, 255))
  .map(([adapter, domain]) => (adapter << 8) | domain);
const control = fc
  .tuple(
    fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 255 })),
    fc.oneof(fc.constantFrom(0, 0x80, 0x40, 0xc0), fc.nat({ max: 255 })),
    fc.oneof({ weight: 4, arbitrary: aQueue }, { weight: 1, arbitrary: fc.nat({ max: 0xffff }) }),
  )
  .map(([code, flags, queue]) => ((code << 24) | (flags << 16) | queue) >>> 0);

export const anyInstruction: fc.Arbitrary<AnyInstruction> = fc.record({
  name: fc.constantFrom("pqap", "nqap", "nqap", "dqap"),
  r1: fc.oneof(fc.constantFrom(4, 6), fc.nat({ max: 15 })),
  r2: fc.oneof(fc.constantFrom(6, 4), fc.nat({ max: 15 })),
  problemState: fc.nat({ max: 9 }).map((number) => number === 0),
  registers: fc
    .tuple(
      word,
      fc.oneof({ weight: 5, arbitrary: control }, { weight: 1, arbitrary: word }),
      fc.array(word, { minLength: 30, maxLength: 30 }),
    )
    .map(([high, low, others]) => [high, low, ...others]),
});

export const interruptions: readonly InstructionResult[] = ["operation", "privileged-operation", "specification", "addressing"];

export function execute(platform: ApPlatform, { name, r1, r2, problemState, registers: values }: AnyInstruction) {
  const registers = Uint32Array.from(values);
  const memory = new SmallMemory();
  const cpu = { registers, memory, problemState };
  const result = name === "pqap" ? platform.pqap(cpu) : platform[name](cpu, r1, r2);
  return { result, registers, memory };
}
