import type { Duplex } from "node:stream";
import type { MigrationAddress } from "./migration-address.ts";
import { connectMigration, listenForMigration } from "./migration-socket.ts";
import { type AskWitness, askWitness, type ServeWitness, serveWitness } from "./witness.ts";

/** What a migration needs of the process and the time that it happens in. */
export interface MigrationSurroundings {
  readonly nowMs: () => number;
  /** Calls back once, later; the result forgets it. */
  readonly after: (ms: number, act: () => void) => () => void;
  /** Rejects with a QemuError. */
  readonly connect: (address: MigrationAddress) => Promise<Duplex>;
  /** Gives away every connection until it is closed. Rejects with a QemuError. */
  readonly listen: (address: MigrationAddress, accept: (stream: Duplex) => void) => Promise<MigrationListener>;
  readonly serveWitness: ServeWitness;
  readonly askWitness: AskWitness;
}

export interface MigrationListener {
  /** Where it listens, with the port that it was given. */
  readonly address: MigrationAddress;
  close(): void;
}

export const ownSurroundings: MigrationSurroundings = {
  nowMs: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  connect: connectMigration,
  listen: listenForMigration,
  serveWitness,
  askWitness,
};
