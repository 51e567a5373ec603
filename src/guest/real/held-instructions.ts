import type { MachineHold } from "./gdb/machine-hold.ts";
import type { ProcessorsRecord } from "./migration/processors-record.ts";

/** The instructions of a guest's kernel that have a breakpoint: those of AP, and before they are found the STFLEs of its decompressor. */
export class HeldInstructions {
  readonly #ap = new Set<bigint>();
  readonly #stfle = new Map<bigint, Uint8Array>();

  constructor(
    private readonly hold: MachineHold,
    private readonly onProblem: (text: string) => void,
  ) {}

  get hasAp(): boolean {
    return this.#ap.size > 0;
  }

  isAp(address: bigint): boolean {
    return this.#ap.has(address);
  }

  /** The text of the STFLE that is held there. */
  stfleAt(address: bigint): Uint8Array | undefined {
    return this.#stfle.get(address);
  }

  holdAp(addresses: readonly bigint[]): void {
    this.#holdAll(addresses, (address) => this.#ap.add(address));
  }

  holdStfle(texts: ReadonlyMap<bigint, Uint8Array>): void {
    this.#holdAll([...texts.keys()], (address) => this.#stfle.set(address, texts.get(address)!));
  }

  /** No breakpoint stands on those of AP until `wake`. */
  sleep(): void {
    for (const address of this.#ap) this.hold.clearBreakpoint(address);
  }

  wake(): void {
    for (const address of this.#ap) this.hold.setBreakpoint(address);
  }

  letStfleGo(): void {
    for (const address of this.#stfle.keys()) this.hold.clearBreakpoint(address);
    this.#stfle.clear();
  }

  letAllGo(): void {
    for (const address of this.#ap) this.hold.clearBreakpoint(address);
    this.#ap.clear();
    this.letStfleGo();
  }

  record(): Pick<ProcessorsRecord, "ap" | "stfle"> {
    return {
      ap: [...this.#ap].map(hexOf),
      stfle: [...this.#stfle].map(([address, text]) => ({ address: hexOf(address), text: Buffer.from(text).toString("hex") })),
    };
  }

  adopt({ ap, stfle }: Pick<ProcessorsRecord, "ap" | "stfle">): void {
    this.holdAp(ap.map(fromHex));
    this.holdStfle(new Map(stfle.map(({ address, text }) => [fromHex(address), Buffer.from(text, "hex")])));
  }

  /** As many as the stub takes; the others stay what they are to TCG. */
  #holdAll(addresses: readonly bigint[], held: (address: bigint) => void): void {
    try {
      for (const address of addresses) {
        this.hold.setBreakpoint(address);
        held(address);
      }
    } catch (error) {
      this.onProblem(`not all of ${addresses.length} instructions of the guest's kernel are held: ${(error as Error).message}`);
    }
  }
}

const hexOf = (address: bigint): string => address.toString(16);
const fromHex = (text: string): bigint => BigInt(`0x${text}`);
