import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToyMachine, type ToyProcessor } from "./gdb/toy-machine.ts";
import { GuestProcessors, type GuestProcessorsOptions } from "./guest-processors.ts";
import type { InstructionAnswer, InstructionRequest } from "./instruction-request.ts";
import { ToyMemory } from "./toy-memory.ts";

const mib = 2 ** 20;
export const entry = 0x10000n;
export const kernelPsw = 0x0404_c001_8000_0000n;
export const primaryPsw = 0x0404_0001_8000_0000n;
export const realPsw = 0x0000_0001_8000_0000n;
/** Where the toy kernel is mapped: its handler, one instruction of each kind, and a page of data. */
export const kernel = {
  handler: 0x3ff_e000_0000n,
  pqap: 0x3ff_e000_0200n,
  nqap: 0x3ff_e000_0300n,
  dqap: 0x3ff_e000_0400n,
  /** Behind the load by which it finds who takes an exception. */
  afterLoad: 0x3ff_e000_0506n,
  /** Who takes an operation exception, and where its table has that. */
  taker: 0x3ff_e000_0600n,
  exceptionEntry: 0x3ff_e000_0808n,
  data: 0x3ff_f000_0000n,
} as const;
export const absolute = { text: 0x30_0000, data: 0x31_0000 } as const;

type AttachOptions = Partial<GuestProcessorsOptions> & { readonly count?: number };

/** A guest's processors over a toy machine, in whose memory a toy kernel can be mapped. For tests. */
export class ToyGuest {
  readonly memory = new ToyMemory(4 * mib, 2 * mib);
  readonly requests: InstructionRequest[] = [];
  readonly problems: string[] = [];
  machine!: ToyMachine;
  processors!: GuestProcessors;
  readonly #folder = mkdtempSync(join(tmpdir(), "gdb-"));
  answer: (request: InstructionRequest) => InstructionAnswer | Promise<InstructionAnswer> = ({ registers }) => ({
    result: 0,
    registers,
    writes: [],
  });

  /** `advanceTimers` makes the next timer due. */
  constructor(private readonly advanceTimers: () => void) {}

  async attach(options: AttachOptions = {}): Promise<void> {
    this.machine = await ToyMachine.listen(join(this.#folder, "gdb"), options.count ?? 1, this.memory.bytes);
    this.processors = await GuestProcessors.attach({
      socketPath: this.machine.stub.path,
      monitor: this.machine,
      memory: this.memory,
      execute: async (request) => {
        this.requests.push(request);
        return this.answer(request);
      },
      hasAp: true,
      facilities: [12, 15],
      onProblem: (text) => this.problems.push(text),
      ...options,
    });
  }

  /** A running machine whose kernel was found. */
  async booted(options: AttachOptions = {}): Promise<ToyProcessor> {
    await this.attach(options);
    for (const processor of this.machine.processors) this.mapKernel(processor);
    this.processors.run();
    await this.running();
    await this.poll();
    return this.machine.processors[0]!;
  }

  async running(): Promise<void> {
    await this.machine.running();
  }

  /** Lets a processor come to an address and waits until the machine goes on. */
  async pass(address: bigint, processor: ToyProcessor = this.machine.processors[0]!): Promise<void> {
    if (!this.machine.reach(address, processor)) throw new Error(`nothing stops a processor at ${address.toString(16)}`);
    await this.running();
  }

  /** A kernel whose text is in place and whose program-check handler is set. */
  mapKernel(processor = this.machine.processors[0]!): void {
    const { memory } = this;
    const asce = BigInt(memory.table("region")) | (2n << 2n) | 3n;
    memory.mapPage(asce, kernel.handler, absolute.text);
    memory.mapPage(asce, kernel.data, absolute.data);
    memory.bytes.fill(Buffer.from("b9040012", "hex"), absolute.text, absolute.text + 0x1000);
    memory.bytes.write("b2af0000", absolute.text + 0x200, "hex");
    memory.bytes.write("b2ad0024", absolute.text + 0x300, "hex");
    memory.bytes.write("b2ae0064", absolute.text + 0x400, "hex");
    this.setHandler(kernel.handler);
    for (const control of [1, 13]) processor.controls[control] = asce;
    processor.psw = { mask: kernelPsw, address: kernel.handler };
  }

  /** Of the kernel that is mapped: who takes which exception. */
  mapExceptions(place = 0x800): void {
    const { bytes } = this.memory;
    for (let code = 0; code < 24; code++) {
      const like = ({ 10: 8, 11: 9, 17: 16, 20: 0 } as Readonly<Record<number, number>>)[code] ?? code;
      bytes.writeBigUInt64BE(like === 1 ? kernel.taker : kernel.taker + BigInt(0x20 * (like + 1)), absolute.text + place + 8 * code);
    }
    bytes.write("e31010000004", absolute.text + 0x500, "hex");
  }

  setHandler(address: bigint): void {
    this.memory.bytes.writeBigUInt64BE(kernelPsw, 0x1d0);
    this.memory.bytes.writeBigUInt64BE(address, 0x1d8);
  }

  /** One look at the kernel while it boots. */
  async poll(): Promise<void> {
    const releases = this.count("D");
    this.advanceTimers();
    await this.machine.stub.until(() => this.count("D") > releases && this.machine.isRunning);
  }

  /** How often a packet came to the stub. */
  count(packet: string): number {
    return this.machine.stub.inputs.filter((input) => input === packet).length;
  }

  close(): void {
    this.processors.close();
    this.machine.close();
    rmSync(this.#folder, { recursive: true });
  }
}

export const general = (processor: ToyProcessor, number: number): string =>
  [...processor.registers.subarray(2 * number, 2 * number + 2)].map((word) => word.toString(16).padStart(8, "0")).join("");
