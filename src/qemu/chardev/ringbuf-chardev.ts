import { QemuError } from "../qemu-error.ts";
import { Chardev, type ChardevRecord } from "./chardev.ts";

const DEFAULT_BYTES = 64 << 10;

/** Stops one chardev-add from reserving the memory of all emulators of this process. QEMU has no limit. */
const MAX_RING_BYTES = 16 << 20;

/** QemuError. */
export function openRingbufChardev({ id, options }: ChardevRecord): RingbufChardev {
  const size = Number(options.get("size") ?? DEFAULT_BYTES);
  if (!(size > 0) || !Number.isInteger(Math.log2(size))) throw new QemuError("size of ringbuf chardev must be power of two");
  if (size > MAX_RING_BYTES) throw new QemuError(`size of ringbuf chardev must be at most ${MAX_RING_BYTES}`);
  return new RingbufChardev(id, size);
}

/** Keeps the newest of what was written until somebody reads it. */
export class RingbufChardev extends Chardev {
  readonly filename = "ringbuf";
  readonly isConnected = true;
  readonly #size: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(id: string, size: number) {
    super(id);
    this.#size = size;
  }

  write(text: string | Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(text as string)]).subarray(-this.#size);
  }

  /** Takes the oldest bytes away. */
  read(count: number): Buffer {
    const oldest = this.#bytes.subarray(0, count);
    this.#bytes = Buffer.from(this.#bytes.subarray(count));
    return oldest;
  }

  protected async release(): Promise<void> {}
}
