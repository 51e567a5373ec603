import type { Psw } from "../psw.ts";
import { ToyStub } from "./toy-stub.ts";

/** A processor of the toy machine. */
export interface ToyProcessor {
  readonly thread: string;
  psw: Psw;
  readonly registers: Uint32Array;
  readonly controls: bigint[];
}

type MachineEvent = { readonly event: string };

/** What the rest of the text of `g` is. */
const otherRegisters = "00112233".repeat(4);

/**
 * QEMU's gdb stub with a machine behind it that runs when a test says how far. It follows QEMU's rules: a byte for a running machine stops it,
 * unless it acknowledges a reply; a detached debugger hears of no stop; what comes in one piece is done before any processor runs. For tests.
 */
export class ToyMachine {
  readonly processors: ToyProcessor[];
  readonly breakpoints = new Set<bigint>();
  /** The doubleword whose reading stops a processor. */
  watched: bigint | undefined;
  /** What a processor does that does one step. */
  onStep: (processor: ToyProcessor) => void = (processor) => {
    processor.psw = { ...processor.psw, address: processor.psw.address + 2n };
  };
  /** Hears of query-status. */
  onQuery: () => void = () => {};
  /** As query-status has it. */
  status = "prelaunch";
  isRunning = false;
  #isAttached = true;
  #awaitsAnswer = false;
  #current: ToyProcessor;
  #watchers: ((event: MachineEvent) => void)[] = [];
  stub!: ToyStub;

  private constructor(
    count: number,
    private readonly memory: Buffer,
  ) {
    this.processors = Array.from({ length: count }, (_, index) => ({
      thread: `p01.0${index + 1}`,
      psw: { mask: 0n, address: 0n },
      registers: new Uint32Array(32),
      controls: Array<bigint>(16).fill(0n),
    }));
    this.#current = this.processors[0]!;
  }

  /** `memory` starts with the prefix area. */
  static async listen(path: string, count = 1, memory: Buffer = Buffer.alloc(0x2000)): Promise<ToyMachine> {
    const machine = new ToyMachine(count, memory);
    machine.stub = await ToyStub.listen(path, (packet) => machine.#answer(packet));
    machine.stub.onAnswer = () => machine.#answered();
    return machine;
  }

  watch(watcher: (event: MachineEvent) => void): void {
    this.#watchers.push(watcher);
  }

  async execute(): Promise<unknown> {
    this.onQuery();
    return { status: this.status };
  }

  /** A processor that is there from now on. */
  add(): ToyProcessor {
    const thread = `p01.0${this.processors.length + 1}`;
    const added = { thread, psw: { mask: 0n, address: 0n }, registers: new Uint32Array(32), controls: [...this.processors[0]!.controls] };
    this.processors.push(added);
    return added;
  }

  /** Resolves when it runs with all that came before. */
  running(): Promise<void> {
    return this.stub.until(() => this.isRunning);
  }

  /** Lets a processor of the running machine come to an address; whether a breakpoint stopped it there. */
  reach(address: bigint, processor = this.processors[0]!): boolean {
    if (!this.isRunning) throw new Error("the machine stands");
    processor.psw = { ...processor.psw, address };
    if (!this.breakpoints.has(address)) return false;
    this.stop("debug");
    return true;
  }

  /** Lets a processor of the running machine read a doubleword by the instruction before an address; whether the watch stopped it there. */
  load(from: bigint, address: bigint, processor = this.processors[0]!): boolean {
    if (!this.isRunning) throw new Error("the machine stands");
    processor.psw = { ...processor.psw, address };
    if (this.watched !== from) return false;
    this.stop("debug");
    return true;
  }

  stop(status: string): void {
    this.isRunning = false;
    this.status = status;
    if (this.#isAttached) this.stub.reply("T05thread:p01.01;");
    this.#tell("STOP");
  }

  close(): void {
    this.stub.close();
  }

  #answered(): void {
    if (this.#awaitsAnswer) this.#awaitsAnswer = false;
    else if (this.isRunning) this.stop("paused");
  }

  #answer(packet: string): string | undefined {
    if (this.isRunning) throw new Error(`${packet} came while the machine ran`);
    const reply = this.#do(packet);
    this.#awaitsAnswer = reply !== undefined;
    return reply;
  }

  #do(packet: string): string | undefined {
    const { psw, registers, controls } = this.#current;
    const [, verb = "", rest = ""] =
      /^([?DcgGpmMZ]|Hg|vCont;s:|vAttach|qXfer:features:read:|Qqemu\.PhyMemMode:|q[fs]ThreadInfo)(.*)$/.exec(packet) ?? [];
    switch (verb) {
      case "?":
        return "T05thread:p01.01;";
      case "D":
        this.#isAttached = false;
        this.breakpoints.clear();
        this.watched = undefined;
        this.#run();
        return "OK";
      case "c":
        this.#run();
        return undefined;
      case "Z":
        this.#setPoint(rest);
        return "OK";
      case "vAttach":
        this.#isAttached = true;
        return "T05thread:p01.01;";
      case "qfThreadInfo":
        return `m${this.processors[0]!.thread}`;
      case "qsThreadInfo":
        return this.#nextThreads();
      case "Hg":
        this.#current = this.#processor(rest);
        return "OK";
      case "g":
        return `${hex(psw.mask)}${hex(psw.address)}${[...registers].map((word) => word.toString(16).padStart(8, "0")).join("")}${otherRegisters}`;
      case "G":
        return this.#setRegisters(rest);
      case "p":
        return hex(controls[Number.parseInt(rest, 16) - firstControl]!);
      case "m":
        return this.#readMemory(rest);
      case "M":
        return this.#writeMemory(rest);
      case "Qqemu.PhyMemMode:":
        // Its memory has but one kind of addresses.
        return "OK";
      case "qXfer:features:read:":
        return featureText(rest);
      case "vCont;s:":
        this.onStep(this.#processor(rest));
        queueMicrotask(() => this.#tell("STOP"));
        return "T05thread:p01.01;";
      default:
        return "";
    }
  }

  #setPoint(rest: string): void {
    const [kind, place] = rest.split(",");
    if (kind === "1") this.breakpoints.add(BigInt(`0x${place}`));
    else if (kind === "3") this.watched = BigInt(`0x${place}`);
    else throw new Error(`Z${rest} is not known here`);
  }

  #run(): void {
    this.isRunning = true;
    this.status = "running";
  }

  #tell(event: string): void {
    for (const watcher of this.#watchers) watcher({ event });
  }

  #processor(thread: string): ToyProcessor {
    const found = this.processors.find((one) => one.thread === thread);
    if (!found) throw new Error(`no thread ${thread}`);
    return found;
  }

  /** All but the first in one piece, then the end. */
  #nextThreads(): string {
    const isFirst = this.stub.inputs.at(-2) === "qfThreadInfo" || this.stub.inputs.at(-1) !== "qsThreadInfo";
    const rest = this.processors.slice(1).map(({ thread }) => thread);
    return isFirst && rest.length > 0 ? `m${rest.join(",")}` : "l";
  }

  #setRegisters(text: string): string {
    if (text.slice(32 + 256) !== otherRegisters) return "E22";
    const current = this.#current;
    current.psw = { mask: BigInt(`0x${text.slice(0, 16)}`), address: BigInt(`0x${text.slice(16, 32)}`) };
    current.registers.set(Array.from({ length: 32 }, (_, word) => Number.parseInt(text.slice(32 + 8 * word, 40 + 8 * word), 16)));
    return "OK";
  }

  #readMemory(rest: string): string {
    const [address = 0, length = 0] = rest.split(",").map((number) => Number.parseInt(number, 16));
    return address + length > this.memory.length ? "E14" : this.memory.toString("hex", address, address + length);
  }

  #writeMemory(rest: string): string {
    const [, address = "", length = "", bytes = ""] = /^(.*),(.*):(.*)$/.exec(rest) ?? [];
    if (bytes.length !== 2 * Number.parseInt(length, 16)) return "E22";
    Buffer.from(bytes, "hex").copy(this.memory, Number.parseInt(address, 16));
    return "OK";
  }
}

const hex = (value: bigint): string => value.toString(16).padStart(16, "0");

const registersOf = (names: readonly string[]): string =>
  names.map((name) => `<reg name="${name}" bitsize="64" type="uint64"/>`).join("\n");
const numbered = (name: string): string[] => Array.from({ length: 16 }, (_, number) => `${name}${number}`);

/** As QEMU's: general registers, access registers, floating point, control registers. */
const features: Readonly<Record<string, string>> = {
  "target.xml": `<?xml version="1.0"?><target><xi:include href="core64.xml"/><xi:include href="acr.xml"/><xi:include href="fpr.xml"/><xi:include href="cr.xml"/></target>`,
  "core64.xml": registersOf(["pswm", "pswa", ...numbered("r")]),
  "acr.xml": registersOf(numbered("acr")),
  "fpr.xml": registersOf(["fpc", ...numbered("f")]),
  "cr.xml": registersOf(numbered("cr")),
};

/** Of cr0 in the files above. */
const firstControl = 18 + 16 + 17;

/** Less than a file has, so that those come in pieces. */
const featurePieceBytes = 300;

function featureText(rest: string): string {
  const [file = "", range = ""] = rest.split(":");
  const start = Number.parseInt(range.split(",")[0] ?? "", 16);
  const size = file === "target.xml" ? Number.POSITIVE_INFINITY : featurePieceBytes;
  const text = features[file] ?? "";
  return `${start + size < text.length ? "m" : "l"}${text.slice(start, start + size)}`;
}
