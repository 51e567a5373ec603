import { PassThrough, Writable } from "node:stream";
import { type Frame, frameTypes } from "./frame.ts";
import type { FrameConnection } from "./frame-connection.ts";

/** What a port's machine writes, as frames. */
export function outgoingChannel(connection: FrameConnection): Writable {
  return new Writable({
    write(piece: Buffer, _encoding, done) {
      sendPieces(connection, piece).then(() => done(), done);
    },
    final(done) {
      connection.send("machineEnd").then(() => done(), done);
    },
  });
}

/** Frames of a machine, as a port's machine reads them: a frame waits until the one before it was taken. */
export class IncomingChannel {
  readonly readable = new PassThrough();

  constructor() {
    // Whoever reads hears of it there.
    this.readable.on("error", () => {});
  }

  /** True: it was one of them. */
  async take({ type, bytes }: Frame): Promise<boolean> {
    if (type === "machineEnd") this.readable.end();
    else if (type === "machine") await this.#write(bytes);
    else return false;
    return true;
  }

  fail(error: Error): void {
    this.readable.destroy(error);
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.readable.destroyed || this.readable.writableEnded || this.readable.write(bytes)) return;
    await new Promise<void>((resolve) => {
      for (const event of ["drain", "close"]) this.readable.once(event, resolve);
    });
  }
}

async function sendPieces(connection: FrameConnection, piece: Buffer): Promise<void> {
  const { maxBytes } = frameTypes.machine;
  for (let start = 0; start < piece.length; start += maxBytes) {
    await connection.send("machine", piece.subarray(start, start + maxBytes));
  }
}
