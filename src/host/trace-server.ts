import { startMounted } from "../runtime/mounted.ts";
import { Errno } from "../sysfs/errno.ts";
import type { TraceStart } from "./replay.ts";

/**
 * A process that serves one trace's host through a mount: whoever replays the trace reads and writes that mount from a process of its own.
 * Its parent sends what the host is, then requests with a number; it answers each, and ends when the parent goes.
 */
export interface ServerStart {
  readonly start: TraceStart;
  readonly mountPoint: string;
  readonly clock: "real" | "manual";
}

export interface ServerRequest {
  readonly id: number;
  readonly request: unknown;
}

export type ServerAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };

process.once("message", ({ start, mountPoint, clock }: ServerStart) => {
  void serve(start, mountPoint, clock);
});

async function serve(start: TraceStart, mountPoint: string, clock: ServerStart["clock"]): Promise<void> {
  const runtime = await startMounted({
    modelModule: new URL("./trace-model.js", import.meta.url),
    modelExport: "createTraceModel",
    configuration: start,
    mountPoint,
    clock,
  });
  process.once("disconnect", () => void runtime.stop().then(() => process.exit()));
  process.on("message", ({ id, request }: ServerRequest) => {
    runtime.command(request).then(
      (value) => answer({ id, value }),
      (error: Error) => answer({ id, code: error instanceof Errno ? error.code : "", message: error.message }),
    );
  });
  answer({ id: 0, value: undefined });
}

const answer = (message: ServerAnswer): void => {
  process.send?.(message);
};
