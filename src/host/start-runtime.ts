import { join } from "node:path";
import { startInProcess } from "../runtime/in-process.ts";
import type { ModelEvent } from "../runtime/model.ts";
import { startMounted } from "../runtime/mounted.ts";
import type { ClockKind, Runtime } from "../runtime/runtime.ts";
import { adapterWorkers } from "./adapter-workers.ts";
import { type BootConfiguration, createHost } from "./create-host.ts";
import type { DomainSecrets } from "./domain-secrets.ts";
import { secretsEvent } from "./host.ts";
import { packageRoot } from "./package-root.ts";

export interface StartRuntimeOptions {
  readonly configuration: BootConfiguration;
  readonly clock: ClockKind;
  /** Undefined: in process, without a mount. */
  readonly mountPoint: string | undefined;
  /** What it returns is waited for before the write that caused a uevent returns. */
  readonly onEvent: (event: ModelEvent) => void | Promise<void>;
  /** Hears of the master keys that a domain has, each time they change; nobody else does. */
  readonly onSecrets?: (domain: DomainSecrets) => void;
  /** A bug that failed one operation; the host goes on. */
  readonly onFault: (error: Error) => void;
}

/** Starts the model of a host, behind a mount or in this thread. With a manual clock nothing happens by itself, so it has no workers. */
export async function startRuntime(options: StartRuntimeOptions): Promise<Runtime> {
  const { configuration, clock, mountPoint, onFault, onSecrets } = options;
  const onEvent = (event: ModelEvent): void | Promise<void> => {
    if (event.type === secretsEvent) return onSecrets?.(event.domain as DomainSecrets);
    return options.onEvent(event);
  };
  const common = { configuration, clock, onEvent, onFault, ...(clock === "real" && { workers: adapterWorkers() }) } as const;
  if (mountPoint === undefined) return startInProcess(createHost, common);
  return startMounted({
    ...common,
    // The model thread imports it by itself, so it is the compiled one also where this file is not.
    modelModule: join(packageRoot, "dist/host/create-host.js"),
    modelExport: "createHost",
    mountPoint,
    awaitedEventTypes: ["uevent"],
  });
}
