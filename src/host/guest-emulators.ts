import { mkdirSync } from "node:fs";
import { AgentRelay } from "../guest/real/agent-relay.ts";
import { RealGuestPort } from "../guest/real/real-guest-port.ts";
import { cpuOf, cpuWith, type GuestOrigin, movedWords } from "../migration/guest-origin.ts";
import type { GuestFacts } from "../migration/side-facts.ts";
import type { Emulator } from "../qemu/emulator.ts";
import type { LogSink } from "../qemu/guest-log.ts";
import { StartError, type StartedEmulator, startEmulator } from "../qemu/start-emulator.ts";
import type { ModelEvent } from "../runtime/model.ts";
import { CommandGuestPort, type SendCommand } from "./command-guest-port.ts";
import type { GuestConfiguration } from "./configuration.ts";
import { Refusal } from "./control-protocol.ts";
import { guestCommandLine, monitorOptions } from "./guest-command-line.ts";
import { withImage } from "./guest-images/boot-image.ts";
import { mdevDeviceId } from "./mdev-device.ts";
import { type GuestPlaces, isSocketPath } from "./places.ts";

/** The emulators of the guests that a host starts itself, all in the host's process. */
export interface GuestEmulatorsOptions {
  readonly send: SendCommand;
  /** Where a guest's monitors listen and its log goes; undefined: nowhere. */
  readonly placesOf?: (guest: string) => GuestPlaces;
  readonly logOf?: (guest: string) => LogSink;
}

interface Running {
  readonly emulator: Emulator;
  readonly port: CommandGuestPort;
  readonly ended: Promise<number>;
  readonly origin: GuestOrigin;
  readonly failIncoming: StartedEmulator["failIncoming"];
}

/** What is started, and how it came to be. */
interface Start {
  readonly origin: GuestOrigin;
  readonly words: readonly string[];
  /** Callers of its agent come to the host. */
  readonly hasAgent: boolean;
}

export class GuestEmulators {
  readonly #running = new Map<string, Running>();

  constructor(private readonly options: GuestEmulatorsOptions) {}

  /** An event of the host, for whom it concerns. */
  take(event: ModelEvent): void {
    if (event.type === "guest") this.#running.get(String(event.guest))?.port.take(event);
  }

  /** Undefined: none of ours has this name. */
  emulator(guest: string): Emulator | undefined {
    return this.#running.get(guest)?.emulator;
  }

  /** How a guest of ours was started. */
  origin(guest: string): GuestOrigin | undefined {
    return this.#running.get(guest)?.origin;
  }

  /** Starts a guest as `qemu-system-s390x` would. Refusal: what it would have printed. */
  start(guest: GuestConfiguration): Promise<Emulator> {
    const words = guestCommandLine(withImage(guest), this.options.placesOf?.(guest.name));
    return this.#start(guest.name, { origin: { by: "host", guest }, words, hasAgent: guest.boot !== undefined });
  }

  /** Starts one that waits for what another host sends; `facilities` are those that it has there. Refusal. */
  startIncoming(origin: GuestOrigin, facilities: GuestFacts["facilities"]): Promise<Emulator> {
    const name = origin.by === "host" ? origin.guest.name : origin.name;
    const places = this.options.placesOf?.(name);
    const incoming = ["-incoming", "defer"];
    if (origin.by === "front") {
      const machine = ["-name", `guest=${name}`, ...monitorOptions(places), "-cpu", cpuWith(cpuOf(origin.words), facilities)];
      return this.#start(name, { origin, words: [...machine, ...movedWords(origin.words), ...incoming], hasAgent: false });
    }
    const guest = origin.guest as GuestConfiguration;
    const words = guestCommandLine(withImage({ ...guest, cpu: cpuWith(guest.cpu, facilities) }), places);
    return this.#start(name, { origin, words: [...words, ...incoming], hasAgent: guest.boot !== undefined });
  }

  /** Ends one that did not come. */
  async failIncoming(guest: string): Promise<void> {
    const running = this.#running.get(guest);
    await running?.failIncoming({ pid: process.pid, name: "adjunct" });
    await running?.ended;
  }

  async #start(name: string, { origin, words, hasAgent }: Start): Promise<Emulator> {
    const port = await CommandGuestPort.over(this.options.send);
    const places = this.options.placesOf?.(name);
    if (places) mkdirSync(places.folder, { recursive: true, mode: 0o700 });
    const log = this.options.logOf?.(name);
    try {
      const started = await startEmulator({
        arguments: words,
        port,
        defaultName: name,
        nowMs: Date.now,
        ...(log && { log }),
        stockPort: (machine, report) => new RealGuestPort(port, machine, { hasStdio: false, report }),
        stdioRefusal: "this guest has no stdio",
      });
      if ("help" in started) throw new Refusal(`guest ${name}: ${words.join(" ")} asks for help and starts nothing`);
      const { emulator, ended, failIncoming } = started;
      this.#running.set(name, { emulator, port, ended, origin, failIncoming });
      void ended.then(() => this.#running.delete(name));
      if (hasAgent && places && isSocketPath(places.agentPortSocket)) await relayAgent(emulator, places);
      return emulator;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      throw new Refusal(`guest ${name} did not start: ${error.message}`);
    }
  }

  /** Ends them all, as SIGTERM would. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running.values()].map(async ({ emulator, ended }) => {
        await emulator.exclusively(() => emulator.quit("host-signal"));
        await ended;
      }),
    );
  }
}

/** Callers of the guest's agent come to a socket of the host's own, for as long as the guest is there. */
async function relayAgent(emulator: Emulator, { agentPortSocket, agentSocket }: GuestPlaces): Promise<void> {
  const relay = new AgentRelay(agentPortSocket, agentSocket);
  emulator.onEvent(({ event, data }) => event === "VSERPORT_CHANGE" && relay.agentChanged(data?.open === true));
  void emulator.ended.then(() => relay.close());
  await relay.listen();
}

export const unplugMdevDevice = (emulator: Emulator): Promise<void> => emulator.exclusively(() => emulator.deleteDevice(mdevDeviceId));
