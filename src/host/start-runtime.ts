import type { ModelEvent } from "../runtime/model.ts";
import { Wait } from "../sysfs/wait.ts";
import type { HostConfiguration } from "./configuration.ts";
import { createHost } from "./host.ts";

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

export async function startRuntime({ configuration, onEvent }: StartRuntimeOptions): Promise<HostRuntime> {
  const model = createHost(configuration, onEvent);
  const started = performance.now();
  const step = (): void => {
    model.tick(performance.now() - started);
    while (model.work(10));
  };
  const timer = setInterval(step, 50);
  return {
    async command(request) {
      try {
        const result = model.command(request);
        if (!(result instanceof Wait)) return result;
        return await new Promise((resolve, reject) => {
          result.onSettled((outcome) => ("error" in outcome ? reject(outcome.error) : resolve(outcome.value)));
          step();
        });
      } finally {
        step();
      }
    },
    async stop() {
      clearInterval(timer);
    },
  };
}
