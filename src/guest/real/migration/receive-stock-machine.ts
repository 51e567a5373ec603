import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { QemuError } from "../../../qemu/qemu-error.ts";
import type { GuestProcessors } from "../guest-processors.ts";
import { FrameReader, frameKinds } from "./machine-frames.ts";
import { type ProcessorsRecord, readProcessorsRecord } from "./processors-record.ts";
import type { StockMigration } from "./stock-migration.ts";
import { connectTo } from "./stock-socket.ts";
import { endPaced, writePaced } from "./write-paced.ts";

export interface StockTarget {
  readonly migration: StockMigration;
  readonly processors: GuestProcessors;
}

/** Into a stock QEMU that waits for it (-incoming defer); the machine stands there when all of it came. */
export async function receiveStockMachine({ migration, processors }: StockTarget, channel: Readable): Promise<void> {
  await migration.prepare();
  const socket = await connectTo((path) => migration.qmp.execute("migrate-incoming", { uri: `unix:${path}` }));
  try {
    const loaded = migration.until("completed");
    const [record] = await Promise.all([relay(channel, socket, loaded), loaded]);
    processors.adopt(record);
  } finally {
    socket.destroy();
    channel.destroy();
  }
}

async function relay(channel: Readable, socket: Socket, loaded: Promise<unknown>): Promise<ProcessorsRecord> {
  const reader = new FrameReader();
  let record: ProcessorsRecord | undefined;
  // A QEMU that does not like what comes ends, and says why in another place.
  const refused = async (error: unknown): Promise<never> => {
    await loaded;
    throw error;
  };
  for await (const piece of pieces(channel)) {
    for (const { kind, bytes } of reader.push(piece)) {
      if (kind === frameKinds.stock) await writePaced(socket, bytes).catch(refused);
      else record = readProcessorsRecord(bytes);
    }
  }
  if (!record) throw new QemuError("the way from the other host ended before all of the guest came");
  await endPaced(socket).catch(refused);
  return record;
}

async function* pieces(channel: Readable): AsyncGenerator<Buffer> {
  try {
    yield* channel as AsyncIterable<Buffer>;
  } catch (error) {
    throw error instanceof QemuError ? error : new QemuError(`the way from the other host ended: ${(error as Error).message}`);
  }
}
