import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { QemuError } from "../../../qemu/qemu-error.ts";

/** Resolves when the stream has taken the bytes; rejects with a QemuError where it ends instead, also without a word. */
export async function writePaced(stream: Writable, bytes: Uint8Array): Promise<void> {
  await orEnd(stream, (taken) => stream.write(bytes, (error) => !error && taken()));
}

/** Resolves when all that was written is taken. */
export async function endPaced(stream: Writable): Promise<void> {
  stream.end();
  await finished(stream, { readable: false }).catch((error: Error) => Promise.reject(ended(error)));
}

function orEnd(stream: Writable, act: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error?: Error): void => settle(() => reject(ended(error)));
    const settle = (end: () => void): void => {
      stream.off("close", fail);
      stream.off("error", fail);
      end();
    };
    if (stream.destroyed) return reject(ended(stream.errored ?? undefined));
    stream.on("close", fail);
    stream.on("error", fail);
    act(() => settle(resolve));
  });
}

const ended = (error?: Error): QemuError =>
  error instanceof QemuError ? error : new QemuError(`the way to the other host ended${error ? `: ${error.message}` : ""}`);
