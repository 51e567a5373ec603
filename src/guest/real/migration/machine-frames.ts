/**
 * What goes from one real guest's port to another's, in pieces as they come:
 *
 *     magic (8), version (1), then frames: kind (1), length (4, big endian), bytes
 *     stock        any number: the stream of stock QEMU's migration, as it is
 *     processors   one, the last: what is known of the guest's kernel, as JSON (processors-record.ts)
 *
 * What is known comes last since it may change as long as the guest runs, and stock QEMU's stream does not say where it ends.
 */
import { QemuError } from "../../../qemu/qemu-error.ts";

export const frameKinds = { stock: 1, processors: 2 } as const;
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export interface Frame {
  readonly kind: FrameKind;
  readonly bytes: Buffer;
}

const magic = "ADJREAL\n";
const version = 1;
const headBytes = magic.length + 1;
const frameHeadBytes = 5;
/** Of one frame: a length from elsewhere does not make us keep more. */
export const maxFrameBytes = 128 * 1024;

export const machineHead = (): Buffer => Buffer.concat([Buffer.from(magic, "latin1"), Buffer.of(version)]);

export function frameBytes(kind: FrameKind, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Takes bytes as they come and gives the frames that are whole. Throws a QemuError, and is then of no more use. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasHead = false;
  #hasEnded = false;

  push(bytes: Uint8Array): Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (!this.#hasHead && !this.#takeHead()) return [];
    const frames: Frame[] = [];
    for (let frame = this.#take(); frame; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #takeHead(): boolean {
    const expected = Buffer.from(magic, "latin1");
    const start = this.#rest.subarray(0, expected.length);
    if (!start.equals(expected.subarray(0, start.length))) throw new QemuError("what comes is no real guest");
    if (this.#rest.length < headBytes) return false;
    const found = this.#rest[magic.length];
    if (found !== version) throw new QemuError(`a real guest comes as version ${found}, this is version ${version}`);
    this.#rest = this.#rest.subarray(headBytes);
    this.#hasHead = true;
    return true;
  }

  #take(): Frame | undefined {
    if (this.#rest.length === 0) return undefined;
    if (this.#hasEnded) throw new QemuError("a real guest goes on behind its end");
    if (this.#rest.length < frameHeadBytes) return undefined;
    const kind = Object.values(frameKinds).find((value) => value === this.#rest[0]);
    const length = this.#rest.readUInt32BE(1);
    if (kind === undefined || length > maxFrameBytes) throw new QemuError("a real guest comes with a frame that is none");
    if (this.#rest.length < frameHeadBytes + length) return undefined;
    const bytes = this.#rest.subarray(frameHeadBytes, frameHeadBytes + length);
    this.#rest = this.#rest.subarray(frameHeadBytes + length);
    this.#hasEnded = kind === frameKinds.processors;
    return { kind, bytes };
  }
}
