import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import * as v from "valibot";
import { mostSavedBytes } from "../guest/model/saved-form.ts";
import type { DeviceState, MigratingDevice, MigratingMachine } from "../qemu/guest-port.ts";
import { QemuError } from "../qemu/qemu-error.ts";
import { type ErrnoName, errnoNumbers } from "../sysfs/errno.ts";
import { type MigrationCommand, maxPieceBytes } from "./migration-command.ts";

/** Migration of a guest over the commands of its host: the vfio-ap device of any guest, the machine of a model guest. */
export type MigrationAction = MigrationCommand["action"];

type Ask = (action: MigrationAction, parameters?: Readonly<Record<string, unknown>>) => Promise<unknown>;

export function commandedDevice(ask: Ask): MigratingDevice {
  return {
    setState: (state: DeviceState) => errnoOf(() => ask("device-state", { state })),
    async read(maxBytes) {
      let bytes = "";
      const errno = await errnoOf(async () => {
        bytes = v.parse(v.string(), await ask("device-read", { maxBytes: Math.min(maxBytes, maxPieceBytes) }));
      });
      return errno ?? Buffer.from(bytes, "base64");
    },
    async write(bytes) {
      for (let start = 0; start < bytes.length; start += maxPieceBytes) {
        const piece = Buffer.from(bytes.subarray(start, start + maxPieceBytes)).toString("base64");
        const errno = await errnoOf(() => ask("device-write", { bytes: piece }));
        if (errno !== undefined) return errno;
      }
      return undefined;
    },
  };
}

/** A model guest has no memory that could travel while it runs: all of it goes when it stands. */
export function commandedMachine(ask: Ask): MigratingMachine {
  return {
    async send(channel: Writable) {
      return {
        async complete() {
          channel.end(Buffer.from(v.parse(v.string(), await inQemuWords(() => ask("save"))), "base64"));
          await finished(channel);
        },
        async cancel() {},
      };
    },
    async receive(channel: Readable) {
      const saved = await collect(channel);
      let start = 0;
      do {
        const end = Math.min(start + maxPieceBytes, saved.length);
        const bytes = saved.subarray(start, end).toString("base64");
        await inQemuWords(() => ask("restore", { bytes, isLast: end === saved.length }));
        start = end;
      } while (start < saved.length);
    },
    async progress() {
      return undefined;
    },
  };
}

async function collect(channel: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of channel) {
    length += piece.length;
    if (length > mostSavedBytes) throw new QemuError(`a model guest's state has at most ${mostSavedBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What the host refuses in a sentence, an emulator refuses in the same. */
async function inQemuWords(act: () => Promise<unknown>): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === "refused" ? new QemuError(message) : error;
  }
}

/** Undefined when it goes well. */
async function errnoOf(act: () => Promise<unknown>): Promise<ErrnoName | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code in errnoNumbers) return code as ErrnoName;
    throw error;
  }
}
