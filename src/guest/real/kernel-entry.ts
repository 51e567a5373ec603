import { AddressingError, type Memory } from "../../ap/platform.ts";
import { readVirtual, writeVirtual } from "./address-space.ts";
import { stfleBytes, stflePattern, stfleTarget, withFacilities } from "./facility-list.ts";
import type { MachineHold } from "./gdb/machine-hold.ts";
import type { HeldInstructions } from "./held-instructions.ts";
import { findInstructions } from "./instruction-text.ts";
import type { Standing, StandingProcessors } from "./standing-processors.ts";

/** Where every Linux for s390x starts, with this mark a few bytes behind. */
const kernelEntry = 0x10000n;
const kernelMark = { offset: 8, text: "S390EP" } as const;
/** The part of a kernel image in which its decompressor's text is. */
const decompressorBytes = 512 * 1024;

export interface KernelEntrySurroundings {
  readonly hold: MachineHold;
  readonly processors: StandingProcessors;
  readonly held: HeldInstructions;
  readonly memory: Memory;
  /** STFLE bits of AP that the guest's CPU model has. */
  readonly facilities: readonly number[];
}

/** The start of a kernel: its decompressor stores the facilities that the kernel believes in, and those of AP are put among them. */
export class KernelEntry {
  constructor(private readonly surroundings: KernelEntrySurroundings) {}

  /** From now on a kernel that starts is noticed. */
  arm(): void {
    this.surroundings.hold.setBreakpoint(kernelEntry);
  }

  /** A kernel runs: the next one comes behind a reset, which arms again. */
  disarm(): void {
    this.surroundings.hold.clearBreakpoint(kernelEntry);
  }

  isHeldAt(address: bigint): boolean {
    return address === kernelEntry && this.surroundings.hold.hasBreakpoint(address);
  }

  /** Where the image of a kernel is that is about to start, its STFLEs are held; anything else is let go on. */
  async enter({ thread }: Standing): Promise<void> {
    const { hold, held, memory } = this.surroundings;
    const start = Number(kernelEntry);
    const mark = memory.read(start + kernelMark.offset, kernelMark.text.length);
    if (Buffer.from(mark).toString("latin1") === kernelMark.text)
      held.holdStfle(stflesOf(Buffer.from(memory.read(start, decompressorBytes))));
    await hold.step(thread);
  }

  /** Lets the STFLE store its list, then puts the facilities of AP into that. */
  async answerStfle(instruction: Uint8Array, standing: Standing): Promise<void> {
    const { hold, processors, memory, facilities } = this.surroundings;
    const { psw, registers, thread } = standing;
    const target = stfleTarget(instruction, registers);
    const listBytes = 8 * ((registers[1]! & 0xff) + 1);
    await hold.step(thread);
    const translation = await processors.translation(psw, standing);
    try {
      const list = readVirtual(memory, translation, target, listBytes);
      writeVirtual(memory, translation, target, withFacilities(list, facilities));
    } catch (error) {
      // Then it stored nothing, and the guest has its program interruption.
      if (!(error instanceof AddressingError)) throw error;
    }
  }
}

/** Texts of the instructions, by address. */
const stflesOf = (image: Buffer): Map<bigint, Uint8Array> =>
  new Map(
    findInstructions(image, [stflePattern]).map((offset) => [kernelEntry + BigInt(offset), image.subarray(offset, offset + stfleBytes)]),
  );
