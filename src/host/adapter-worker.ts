import { asymmetricWorker } from "../machine/adapter/asymmetric/asymmetric-worker.ts";
import { serveWork } from "../runtime/serve-work.ts";

/** A thread that does the long work of a host's adapters. */
serveWork(asymmetricWorker());
