import { rmSync } from "node:fs";
import { generation } from "../linux/generation.ts";
import type { ModelEvent } from "../runtime/model.ts";
import { readApRules } from "./ap-rules.ts";
import type { SendCommand } from "./command-guest-port.ts";
import type { HostConfiguration } from "./configuration.ts";
import { startConfiguredMdevs } from "./configured-mdevs.ts";
import { Refusal } from "./control-protocol.ts";
import { type ControlServer, serveControl } from "./control-server.ts";
import { FrontGuests } from "./front-guests.ts";
import { GuestEmulators } from "./guest-emulators.ts";
import { writeGuestLog } from "./guest-log-file.ts";
import { GuestRegistry } from "./guest-registry.ts";
import { clearHostFolder, describeHost, type HostDescription, makeHostFolder } from "./host-folder.ts";
import { takeHostLock } from "./host-lock.ts";
import { type HostSystem, startHostSystem } from "./host-system.ts";
import { holdForConnection } from "./migration-hold-owner.ts";
import { MovingGuests } from "./moving-guests.ts";
import { places as allPlaces, guestPlaces, hostPlaces, makePrivateFolder, refuseLongSocketPath } from "./places.ts";
import { SecretsFile } from "./secrets-file.ts";
import { startRuntime } from "./start-runtime.ts";
import type { UeventProperties } from "./uevents/uevent-frames.ts";

/**
 * One host put together: lock, folder, model, mount, namespaces, control socket, in this order, and taken apart in the
 * opposite one. Whatever fails on the way up takes down what was there already.
 */
export interface RunningHost {
  readonly description: HostDescription;
  /** What this machine could not give, one sentence each. */
  readonly problems: readonly string[];
  command(request: Readonly<Record<string, unknown>> & { readonly do: string }): Promise<unknown>;
  stop(): Promise<void>;
  /** Resolves when it is gone; the text says why if it did not end by `stop`. */
  readonly stopped: Promise<string | undefined>;
}

export interface RunOptions {
  readonly isMounted: boolean;
  readonly onEvent?: (event: ModelEvent) => void;
  /** What could not be done for the programs of the host, after its start. */
  readonly onProblem?: (text: string) => void;
  /** A bug that failed one operation. */
  readonly onFault?: (error: Error) => void;
}

export async function runHost(configuration: HostConfiguration, options: RunOptions): Promise<RunningHost> {
  const { runFolder, stateFolder } = allPlaces();
  const places = hostPlaces(configuration.name);
  refuseLongSocketPath(places.controlSocket);
  makePrivateFolder(runFolder);
  makePrivateFolder(stateFolder);
  const { name } = configuration;
  // Held until the process is gone, so that who waits for it to end waits for all of it.
  if (!takeHostLock(places.lock))
    throw new Refusal(`a host named ${name} is running already: adjunct down ${name} ends it, or give this one another name`);

  const undo: (() => void | Promise<void>)[] = [];
  const takeDown = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    clearHostFolder(places);
    makeHostFolder(places);
    undo.push(() => clearHostFolder(places));

    const secrets = new SecretsFile(places.secrets, (text) => options.onProblem?.(text));
    undo.push(() => secrets.saved().catch(() => {}));
    const { release } = generation(configuration.kernel);
    const hasUserNamespace = process.env.ADJUNCT_USER_NAMESPACE === "1";
    const send: SendCommand = (request) => runtime.command(request);
    const guests = new GuestRegistry(places, { release, hasUserNamespace, isMounted: options.isMounted }, send);
    const emulators = new GuestEmulators({
      send,
      placesOf: (guest) => guestPlaces(places, guest),
      logOf: (guest) => (line) => writeGuestLog(guestPlaces(places, guest), line),
    });
    const fronts = new FrontGuests((event) => server?.publish(event));
    const moving = new MovingGuests({ send, emulators, fronts, placesOf: (guest) => guestPlaces(places, guest) });
    let server: ControlServer | undefined;
    let system: HostSystem | undefined;
    let reportEnd: (reason: string | undefined) => void = () => {};
    const stopped = new Promise<string | undefined>((resolve) => {
      reportEnd = resolve;
    });
    let stopping: Promise<void> | undefined;
    const stop = (reason?: string): Promise<void> => {
      stopping ??= takeDown().finally(() => reportEnd(reason));
      return stopping;
    };

    const bootedAt = new Date().toISOString();
    const problems: string[] = [];
    const rules = readApRules(places.etc, (text) => problems.push(text));
    const runtime = await startRuntime({
      configuration: { ...configuration, rules, secrets: secrets.domains },
      clock: "real",
      mountPoint: options.isMounted ? places.mount : undefined,
      onEvent(event) {
        server?.publish(event);
        options.onEvent?.(event);
        emulators.take(event);
        fronts.take(event);
        if (event.guest !== undefined) return guests.take(event);
        if (event.type !== "uevent") return undefined;
        return system?.take(event.properties as UeventProperties);
      },
      onSecrets: (domain) => secrets.take(domain),
      onFault: (error) => options.onFault?.(error),
    });
    const command = async (request: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const answer = await runtime.command(request);
      if (request.do === "key") await secrets.saved();
      return answer;
    };
    undo.push(() => runtime.stop());
    void runtime.ended.then((error) => {
      if (error) void stop(error.message);
    });

    undo.push(() => guests.close());
    if (options.isMounted) {
      const started = await startHostSystem(places, (text) => options.onProblem?.(text));
      system = started;
      undo.push(() => started.close());
      problems.push(...started.problems);
    }
    problems.push(...(await startConfiguredMdevs(configuration.mdevs, send)));

    const description: HostDescription = {
      name,
      pid: process.pid,
      bootedAt,
      kernel: configuration.kernel,
      release,
      isMounted: options.isMounted,
      mount: options.isMounted ? places.mount : null,
      controlSocket: places.controlSocket,
      namespacePid: system?.namespacePid ?? null,
      hasUserNamespace,
      programs: places.programs,
    };
    rmSync(places.controlSocket, { force: true });
    server = await serveControl(places.controlSocket, async (request, closed) => {
      if (request.do === "host") return description;
      if (request.do === "guest-system") return guests.describe(String(request.guest), request.enters === true);
      if (request.do === "guest") return guests.command(request, closed);
      if (request.do === "guests") return guests.list();
      if (request.do === "guest-log") return guests.log(request);
      if (request.do === "guest-move") return moving.command(request, closed);
      if (request.do === "front") return fronts.answer(request);
      if (request.do === "migration-hold") return holdForConnection(command, request, closed);
      if (request.do !== "stop") return command(request);
      setImmediate(() => void stop());
      return true;
    });
    const { close } = server;
    undo.push(() => close());
    // Before the socket closes and the model ends.
    undo.push(() => emulators.stop());
    for (const guest of configuration.guests) await emulators.start(guest);
    describeHost(places, description);
    if (stopping !== undefined) throw new Error("the host failed while it started");
    return { description, problems, command, stop: () => stop(), stopped };
  } catch (error) {
    await takeDown();
    throw error;
  }
}
