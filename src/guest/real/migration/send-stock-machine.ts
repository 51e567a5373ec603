import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { OutgoingMachine } from "../../../qemu/guest-port.ts";
import { QemuError } from "../../../qemu/qemu-error.ts";
import type { GuestMemory } from "../guest-memory.ts";
import type { GuestProcessors } from "../guest-processors.ts";
import { reachOfContent } from "./end-of-memory.ts";
import { frameBytes, frameKinds, machineHead } from "./machine-frames.ts";
import type { StockMigration } from "./stock-migration.ts";
import { acceptFrom } from "./stock-socket.ts";
import { endPaced, writePaced } from "./write-paced.ts";

/**
 * Stock QEMU's own migration, with one thing added: when it ends. By itself it stops the machine at a moment of its own, and stores the run
 * state of that moment. A guest that uses its cards stands at a breakpoint much of the time; then QEMU would store `debug`, with which no QEMU
 * can begin, and what answers the breakpoint would let the machine run while it is being sent. So QEMU must not come to its end before
 * we have stopped the machine:
 *
 *     - its downtime limit is 0: it ends when every page was sent once, and not before;
 *     - it sends memory from its start to its end into our socket, and waits when we do not read: we do not read on when what remains could
 *       be in buffers on the way, already sent;
 *     - when the guest was stopped we read on: the rest, and all pages that changed meanwhile.
 */
export interface StockSource {
  readonly migration: StockMigration;
  readonly memory: GuestMemory;
  readonly processors: GuestProcessors;
}

const pageBytes = 4096;
/** A page of zeros is a header and a byte. Source: QEMU migration/ram.c, save_zero_page. */
const smallestPageBytes = 9;
/** What QEMU may have written and we not have read: a socket's buffer (net.core.wmem_default and one write), QEMU's own, Node's. */
const unseenBytes = (208 + 32 + 32 + 64 + 16) * 1024;
/** Of one frame; QEMU's writes are not larger. */
const pieceBytes = 64 * 1024;
/** As much as there is: what is between us and the other host sets the pace. */
const bytesPerSecond = 2 ** 40;

/** Resolves when the guest should be stopped. */
export async function sendStockMachine(source: StockSource, channel: Writable): Promise<StockSending> {
  const { migration, memory } = source;
  memory.recordWrites();
  try {
    await migration.prepare();
    await migration.qmp.execute("migrate-set-parameters", { "downtime-limit": 0, "max-bandwidth": bytesPerSecond });
    const socket = await acceptFrom(async (path) => {
      await migration.qmp.execute("migrate", { uri: `unix:${path}` });
      await migration.until("active");
    });
    const sending = new StockSending(source, channel, socket);
    await sending.untilStop();
    return sending;
  } catch (error) {
    memory.endRecord();
    throw error;
  }
}

export class StockSending implements OutgoingMachine {
  readonly #mayGoOn = new Signal();
  readonly #shouldStop = new Signal();
  readonly #isCancelled = new Signal();
  readonly #relayed: Promise<void>;
  #isCompleting = false;

  constructor(
    private readonly source: StockSource,
    private readonly channel: Writable,
    private readonly socket: Socket,
  ) {
    this.#relayed = this.#relay();
    // Whoever waits next hears of it.
    this.#relayed.catch(() => {});
  }

  async untilStop(): Promise<void> {
    const { migration } = this.source;
    try {
      await Promise.race([this.#shouldStop.given, this.#relayed.then(() => migration.until("completed"))]);
      await migration.until("active");
    } catch (error) {
      await this.cancel();
      throw error;
    }
  }

  async complete(): Promise<void> {
    try {
      const cancelled = this.#isCancelled.given.then(() => Promise.reject(new QemuError("the guest stays here")));
      await Promise.race([this.#finish(), cancelled]);
    } catch (error) {
      await this.cancel();
      throw error instanceof QemuError ? error : new QemuError((error as Error).message);
    }
  }

  /** Both ways go first: a QEMU that waits for its own in its last part hears nothing else. */
  async cancel(): Promise<void> {
    const { memory, migration } = this.source;
    memory.endRecord();
    this.#isCancelled.give();
    this.channel.destroy();
    this.socket.destroy();
    this.#mayGoOn.give();
    await migration.abandon();
  }

  async #finish(): Promise<void> {
    const { processors, memory, migration } = this.source;
    await migration.until("active");
    await processors.rest(memory.endRecord());
    const record = Buffer.from(JSON.stringify(processors.record()));
    migration.hasReachedEnd = true;
    this.#isCompleting = true;
    this.#mayGoOn.give();
    await this.#relayed;
    await migration.until("completed");
    await writePaced(this.channel, frameBytes(frameKinds.processors, record));
    await endPaced(this.channel);
  }

  async #relay(): Promise<void> {
    await writePaced(this.channel, machineHead());
    let allowed = await this.#readable();
    for await (const bytes of this.socket as AsyncIterable<Buffer>) {
      for (let start = 0; start < bytes.length; start += pieceBytes) {
        await writePaced(this.channel, frameBytes(frameKinds.stock, bytes.subarray(start, start + pieceBytes)));
      }
      allowed -= bytes.length;
      if (allowed <= 0) allowed = await this.#readable();
    }
  }

  /** How many bytes may be read before it is asked again. */
  async #readable(): Promise<number> {
    if (!this.#isCompleting) {
      const { memory, migration } = this.source;
      const remaining = Number((await migration.ram())?.remaining ?? 0);
      const bytes = (remaining / pageBytes) * smallestPageBytes - unseenBytes;
      if (bytes > 0) return bytes;
      // Twice what is needed: pages may become zeros meanwhile.
      if (remaining > reachOfContent(memory, 4 * unseenBytes)) return unseenBytes;
      this.#shouldStop.give();
      await this.#mayGoOn.given;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** Something that happens once. */
class Signal {
  give: () => void = () => {};
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}
