import type { ModelEvent } from "../runtime/model.ts";
import type { HostConfiguration } from "./configuration.ts";

/** A host's model at work. */
export interface HostRuntime {
  command(request: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

export interface StartRuntimeOptions {
  readonly configuration: HostConfiguration;
  /** Undefined: in process, without a mount. */
  readonly mountPoint: string | undefined;
  readonly onEvent: (event: ModelEvent) => void;
  readonly onFault: (error: Error) => void;
}

export async function startRuntime(_options: StartRuntimeOptions): Promise<HostRuntime> {
  throw new Error("no runtime yet");
}
