import { apqn } from "../src/ap/apqn.ts";
import type { Cpu } from "../src/ap/platform.ts";
import { ResponseCode, responseCodeOf } from "../src/ap/status.ts";
import { workerEngine } from "../src/machine/adapter/asymmetric/worker-engine.ts";
import { computingProcessor } from "../src/machine/adapter/computing-processor.ts";
import { adapterProfile } from "../src/machine/adapter-profile.ts";
import { fullMachine } from "../src/machine/lpar.ts";
import { Machine } from "../src/machine/machine.ts";
import type { Model, Workers } from "../src/runtime/model.ts";
import { Directory } from "../src/sysfs/node.ts";
import { Wait } from "../src/sysfs/wait.ts";
import { aqic } from "../test/support/instructions.ts";
import type { CrtMessage } from "./crt-messages.ts";

/**
 * A machine and its user, who keeps every queue of an accelerator full: takes a reply when the adapter interrupts, and puts in the
 * next message; or sends a coprocessor one message at a time.
 */
export type Load = { readonly forMs: number } & (
  | { /** The message after `count` others. */ readonly next: (count: number, queue: number) => CrtMessage }
  | { readonly message: Uint8Array }
);

export interface LoadResult {
  readonly replies: number;
  readonly tookMs: number;
}

const accelerator = 6;
const coprocessor = 5;
const queueCount = 4;
const messageAddress = 0;
const replyAddress = 0x4000;
const replyRoom = 0x1000;

export class LoadedMachine implements Model {
  readonly root = new Directory("");
  readonly nextTimerMs = undefined;
  readonly #machine: Machine;
  readonly #memory = new Uint8Array(0x8000);
  readonly #cpu: Cpu;
  #onInterrupt: (queue: number) => void = () => {};

  constructor(workers: Workers) {
    const processor = computingProcessor({ engine: workerEngine(workers) });
    this.#machine = new Machine(fullMachine, () => performance.now(), processor);
    this.#machine.addAdapter(accelerator, adapterProfile(14, "accelerator"));
    this.#machine.addAdapter(coprocessor, adapterProfile(14, "cca"));
    const memory = this.#memory;
    this.#cpu = {
      registers: new Uint32Array(32),
      memory: {
        read: (address, length) => memory.slice(address, address + length),
        write: (address, bytes) => memory.set(bytes, address),
      },
      problemState: false,
    };
    this.#machine.listen({ queueInterrupt: (queue) => this.#onInterrupt(queue) });
    for (const queue of this.#queues) {
      this.#machine.setUsageDomain(queue & 0xff, true);
      aqic(this.#machine, queue, true);
    }
  }

  tick(): void {}

  beginInput(): void {}

  work(): boolean {
    return false;
  }

  hasWorkOf(): boolean {
    return false;
  }

  command(request: unknown): LoadResult | Wait<LoadResult> {
    const load = request as Load;
    return "next" in load ? this.#fillQueues(load.forMs, load.next) : this.#exchange(load.forMs, load.message);
  }

  /** Ends when every queue is empty again. */
  #fillQueues(forMs: number, next: (count: number, queue: number) => CrtMessage): Wait<LoadResult> {
    const wait = new Wait<LoadResult>();
    const expected = new Map<number, Buffer>();
    const startMs = performance.now();
    let [sent, replies] = [0, 0];
    const fill = (queue: number): void => {
      while (performance.now() - startMs < forMs) {
        const { message, expected: end } = next(sent, queue);
        if (!this.#put(queue, sent, message)) return;
        expected.set(sent++, end);
      }
    };
    this.#onInterrupt = (queue) => {
      for (let taken = this.#take(queue); taken; taken = this.#take(queue)) {
        const end = expected.get(taken.id);
        if (!end || Buffer.compare(taken.reply.subarray(-end.length), end) !== 0) throw new Error("a reply is wrong");
        expected.delete(taken.id);
        replies++;
      }
      fill(queue);
      if (expected.size === 0) wait.complete(() => ({ replies, tookMs: performance.now() - startMs }));
    };
    for (const queue of this.#queues) fill(queue);
    return wait;
  }

  #exchange(forMs: number, message: Uint8Array): LoadResult {
    const queue = apqn(coprocessor, 0);
    const startMs = performance.now();
    for (let replies = 0; ; replies++) {
      const tookMs = performance.now() - startMs;
      if (tookMs >= forMs) return { replies, tookMs };
      this.#put(queue, replies, message);
      const taken = this.#take(queue);
      if (taken?.id !== replies || taken.reply[1] !== 0x86) throw new Error("a message was not answered at once");
    }
  }

  get #queues(): number[] {
    return Array.from({ length: queueCount }, (_, domain) => apqn(accelerator, domain));
  }

  /** NQAP; false if the queue is full. */
  #put(queue: number, id: number, message: Uint8Array): boolean {
    const { registers } = this.#cpu;
    this.#memory.set(message, messageAddress);
    registers.fill(0);
    registers[1] = (0x40000000 | queue) >>> 0;
    registers[11] = id;
    registers[13] = messageAddress;
    registers[15] = message.length;
    this.#machine.nqap(this.#cpu, 4, 6);
    const code = responseCodeOf(registers[3]!);
    if (code !== ResponseCode.normal && code !== ResponseCode.queueFull) throw new Error(`NQAP answered ${code}`);
    return code === ResponseCode.normal;
  }

  /** DQAP; undefined if there is no reply. */
  #take(queue: number): { id: number; reply: Uint8Array } | undefined {
    const { registers } = this.#cpu;
    registers.fill(0);
    registers[1] = (0x80000000 | queue) >>> 0;
    registers[13] = replyAddress;
    registers[15] = replyRoom;
    this.#machine.dqap(this.#cpu, 4, 6);
    const code = responseCodeOf(registers[3]!);
    if (code === ResponseCode.noPendingReply) return undefined;
    if (code !== ResponseCode.normal) throw new Error(`DQAP answered ${code}`);
    const end = replyAddress + replyRoom - registers[15]!;
    return { id: registers[11]!, reply: this.#memory.subarray(replyAddress, end) };
  }
}
