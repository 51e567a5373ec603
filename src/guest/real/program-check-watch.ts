import type { MachineHold } from "./gdb/machine-hold.ts";
import type { ProcessorsRecord } from "./migration/processors-record.ts";
import type { Psw } from "./psw.ts";

/**
 * For a kernel whose AP instructions are in modules that come later: every program check is looked at until one is an operation exception of an AP
 * instruction. A breakpoint stands on the first instruction of the kernel's handler; to get past it, it moves to the second one and back. Each
 * page fault of the guest costs two stops, so the watch ends when the instructions are found. With several processors one may slip past
 * while the breakpoint is on the second instruction: its kernel takes the exception then, and a module must be loaded again.
 */
export class ProgramCheckWatch {
  constructor(
    private readonly hold: MachineHold,
    readonly handler: bigint,
    private readonly second: bigint,
  ) {
    hold.setBreakpoint(handler);
  }

  static from(hold: MachineHold, { handler, second, held }: NonNullable<ProcessorsRecord["watch"]>): ProgramCheckWatch {
    const watch = new ProgramCheckWatch(hold, BigInt(`0x${handler}`), BigInt(`0x${second}`));
    if (held === "second") watch.pass(watch.handler);
    return watch;
  }

  record(): NonNullable<ProcessorsRecord["watch"]> {
    const held = this.hold.hasBreakpoint(this.second) ? "second" : "handler";
    return { handler: this.handler.toString(16), second: this.second.toString(16), held };
  }

  /** Whether a processor at this address stands because of this watch. */
  holds(address: bigint): boolean {
    return (address === this.handler || address === this.second) && this.hold.hasBreakpoint(address);
  }

  /** Lets a processor that stands at one of the two go on. */
  pass(address: bigint): void {
    this.hold.clearBreakpoint(address);
    this.hold.setBreakpoint(address === this.handler ? this.second : this.handler);
  }

  end(): void {
    this.hold.clearBreakpoint(this.handler);
    this.hold.clearBreakpoint(this.second);
  }

  /** Of the processor that the stub was last asked about, at the first instruction of the handler. */
  async interruption(): Promise<{ readonly code: number; readonly oldPsw: Psw }> {
    const { client } = this.hold;
    const [code, oldPsw] = await Promise.all([client.request(`m${codeAt},2`), client.request(`m${oldPswAt},10`)]);
    return {
      code: Number.parseInt(code, 16),
      oldPsw: { mask: BigInt(`0x${oldPsw.slice(0, 16)}`), address: BigInt(`0x${oldPsw.slice(16)}`) },
    };
  }
}

/** Of the prefix area. Source: z/Architecture Principles of Operation, chapter 3, "Assigned Storage Locations". */
const codeAt = "8e";
const oldPswAt = "150";

export const operationException = 0x0001;
