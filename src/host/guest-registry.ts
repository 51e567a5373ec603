import { existsSync, mkdirSync, rmSync } from "node:fs";
import * as v from "valibot";
import type { ModelEvent } from "../runtime/model.ts";
import { absentGuest } from "./absent-guest.ts";
import type { SendCommand } from "./command-guest-port.ts";
import type { ControlRequest } from "./control-server.ts";
import { writeGuestLog } from "./guest-log-file.ts";
import { guestName } from "./guest-name.ts";
import { makePrograms } from "./host-folder.ts";
import { createHostNamespace, type HostNamespace } from "./host-namespace.ts";
import { type HostStatus, parseHostStatus } from "./host-status.ts";
import { type GuestPlaces, guestPlaces, type HostPlaces } from "./places.ts";
import { programEnvironment } from "./program-environment.ts";
import type { UeventProperties } from "./uevents/uevent-frames.ts";

/** One Linux, the host's or a guest's, for those who run programs in it. */
export interface SystemDescription {
  readonly name: string;
  readonly release: string;
  /** When it booted: zero of its kernel log's time. */
  readonly bootedAt: string;
  /** The process whose namespaces programs enter; null without a mount. */
  readonly namespacePid: number | null;
  readonly hasUserNamespace: boolean;
  /** Where the programs are that act on it. */
  readonly programs: string;
  /** Of a real guest: the socket of its agent, which runs programs there. */
  readonly agentSocket?: string;
}

const logRequest = v.object({ do: v.literal("guest-log"), guest: guestName, line: v.string() });

interface Entry {
  readonly places: GuestPlaces;
  bootedAt: string;
  /** Made when the first program wants to run in the guest. */
  namespace: Promise<HostNamespace> | undefined;
}

/** A guest as `adjunct guests` lists it. */
export interface GuestListing {
  readonly name: string;
  readonly state: "running" | "paused";
  readonly bootedAt: string;
  /** Of a model guest that has booted: the same until it boots again, on whatever host. */
  readonly bootId: string | undefined;
  readonly mdev: string | undefined;
  readonly apqns: readonly string[];
  /** Sockets of a guest that the host itself started. */
  readonly monitors: readonly string[];
}

/**
 * The guests of one host as its process sees them: who owns each, and the namespaces in which programs of a guest run. A guest whose
 * emulator came over the control socket is destroyed when that connection ends.
 */
export class GuestRegistry {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly places: HostPlaces,
    private readonly system: Pick<SystemDescription, "release" | "hasUserNamespace"> & { readonly isMounted: boolean },
    private readonly send: SendCommand,
  ) {}

  /** An event of the model; resolves when the programs that should hear of it have. */
  async take(event: ModelEvent): Promise<void> {
    const guest = String(event.guest);
    if (event.type === "uevent") {
      const namespace = await this.#entries.get(guest)?.namespace;
      return namespace?.sendUevent(event.properties as UeventProperties);
    }
    if (event.type !== "guest") return;
    if (event.event === "created") {
      this.#entries.set(guest, { places: guestPlaces(this.places, guest), bootedAt: new Date().toISOString(), namespace: undefined });
    }
    const entry = this.#entries.get(guest);
    if (!entry) return;
    if (event.event === "booted") {
      entry.bootedAt = new Date().toISOString();
      await (await entry.namespace)?.forgetDevices();
    }
    // Its log goes on with the time that it had.
    if (event.event === "restored") entry.bootedAt = new Date(Date.now() - Number(event.clockMs)).toISOString();
    if (event.event === "destroyed") {
      this.#entries.delete(guest);
      await closeEntry(entry);
    }
  }

  /** Passes a guest command on; a guest that it creates goes with the connection. */
  async command(request: ControlRequest, closed: Promise<void>): Promise<unknown> {
    const answer = await this.send(request);
    if (request.action === "create") {
      const guest = String(request.guest);
      const entry = this.#entries.get(guest);
      void closed.then(async () => {
        if (entry && this.#entries.get(guest) === entry) await this.send({ do: "guest", action: "destroy", guest }).catch(() => {});
      });
    }
    return answer;
  }

  /** With `enters`, its namespaces are there afterwards. Refusal: no such guest. */
  async describe(guest: string, enters: boolean): Promise<SystemDescription> {
    const entry = this.#entries.get(guest);
    if (!entry) throw absentGuest(guest, this.#entries.keys());
    const { agentSocket } = entry.places;
    const isReal = existsSync(agentSocket);
    if (this.system.isMounted && enters && !isReal) entry.namespace ??= this.#makeNamespace(guest, entry.places);
    const namespace = await entry.namespace;
    const { hasUserNamespace } = this.system;
    return {
      name: guest,
      release: (await this.#status()).find(({ name }) => name === guest)?.release ?? this.system.release,
      bootedAt: entry.bootedAt,
      namespacePid: namespace?.pid ?? null,
      hasUserNamespace,
      programs: entry.places.programs,
      ...(isReal && { agentSocket }),
    };
  }

  async list(): Promise<GuestListing[]> {
    return (await this.#status()).flatMap(({ name, isRunning, mdev, apqns, bootId }) => {
      const entry = this.#entries.get(name);
      if (!entry) return [];
      const { qmpSocket, monitorSocket } = entry.places;
      const monitors = [qmpSocket, monitorSocket].filter((path) => existsSync(path));
      return [{ name, state: isRunning ? "running" : "paused", bootedAt: entry.bootedAt, bootId, mdev, apqns, monitors } as const];
    });
  }

  /** A line for a guest's log from an emulator in another process, also before and after the guest is there. */
  log(request: ControlRequest): void {
    const { guest, line } = v.parse(logRequest, request);
    writeGuestLog(guestPlaces(this.places, guest), line);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(closeEntry));
    this.#entries.clear();
  }

  async #status(): Promise<HostStatus["guests"]> {
    return parseHostStatus(await this.send({ do: "status" })).guests;
  }

  async #makeNamespace(guest: string, places: GuestPlaces): Promise<HostNamespace> {
    mkdirSync(places.folder, { recursive: true, mode: 0o700 });
    makePrograms(places.programs, this.places.controlSocket, guest);
    const { name, runFolder } = this.places;
    const environment = programEnvironment({ host: name, guest, programs: places.programs });
    return createHostNamespace(places, { run: runFolder, environment });
  }
}

async function closeEntry({ namespace, places }: Entry): Promise<void> {
  await (await namespace?.catch(() => undefined))?.close();
  rmSync(places.folder, { recursive: true, force: true });
}
