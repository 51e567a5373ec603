import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { WorkersOptions } from "../runtime/worker-threads.ts";
import { packageRoot } from "./package-root.ts";

/** As many as one model thread keeps busy with RSA of 2048 bits. */
const maxWorkers = 8;

/** The threads that compute for a host's adapters. One processor is left for the model thread, which every guest waits for. */
export const adapterWorkers = (): WorkersOptions => ({
  // A thread imports it by itself, so it is the compiled one also where this file is not.
  module: join(packageRoot, "dist/host/adapter-worker.js"),
  count: Math.min(Math.max(availableParallelism() - 1, 1), maxWorkers),
});
