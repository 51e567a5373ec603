import * as v from "valibot";
import { type GuestMonitor, monitorOf } from "../migration/guest-monitor.ts";
import { type GuestOrigin, guestOrigin } from "../migration/guest-origin.ts";
import { type MigrationInfo, migrationInfoOf, type SendOutcome, sendGuest } from "../migration/send-guest.ts";
import { guestFacilities } from "../migration/side-facts.ts";
import { absentGuest } from "./absent-guest.ts";
import type { SendCommand } from "./command-guest-port.ts";
import { Refusal } from "./control-protocol.ts";
import type { ControlRequest } from "./control-server.ts";
import type { FrontGuests } from "./front-guests.ts";
import type { GuestEmulators } from "./guest-emulators.ts";
import { guestName } from "./guest-name.ts";
import { createMdev, hasMdev, removeMdev } from "./mdev-files.ts";
import { type GuestPlaces, refuseLongSocketPath } from "./places.ts";

/**
 * Guests that leave this host and that come to it. What is begun for a connection and not done when that ends is undone: a guest that was to
 * come goes, with the mediated device that was made for it, and a guest that was to leave stays.
 */
const command = v.literal("guest-move");
const guest = guestName;

const moveCommand = v.variant("action", [
  /** How it was started. */
  v.object({ do: command, action: v.literal("origin"), guest }),
  /** Answered when it went or stays. */
  v.object({ do: command, action: v.literal("send"), guest, uri: v.pipe(v.string(), v.maxLength(4096)) }),
  v.object({ do: command, action: v.literal("cancel"), guest }),
  v.object({ do: command, action: v.literal("progress"), guest }),
  /** Makes everything ready; answered with the URI to send it to. */
  v.object({
    do: command,
    action: v.literal("receive"),
    guest,
    origin: guestOrigin,
    facilities: guestFacilities,
    uuid: v.nullable(v.string()),
    createsMdev: v.boolean(),
  }),
  /** Whether it came, and what QEMU says against it. */
  v.object({ do: command, action: v.literal("arrival"), guest }),
  /** Ends what `receive` made ready, unless it came. */
  v.object({ do: command, action: v.literal("abandon"), guest }),
]);
type MoveCommand = v.InferOutput<typeof moveCommand>;
type Receive = Extract<MoveCommand, { readonly action: "receive" }>;

export interface Arrival {
  readonly hasArrived: boolean;
  readonly info: MigrationInfo;
}

export interface MovingGuestsOptions {
  readonly send: SendCommand;
  readonly emulators: GuestEmulators;
  readonly fronts: FrontGuests;
  readonly placesOf: (guest: string) => GuestPlaces;
}

/** What was made for a guest that is to come. */
interface Awaited {
  readonly createdMdev: string | undefined;
}

/** Between two looks at a migration. */
const lookMs = 20;

export class MovingGuests {
  readonly #awaited = new Map<string, Awaited>();

  constructor(private readonly options: MovingGuestsOptions) {}

  async command(request: ControlRequest, closed: Promise<void>): Promise<unknown> {
    const parsed = v.safeParse(moveCommand, request);
    if (!parsed.success) throw new Refusal("not a command of a guest's move", "bad-request");
    const move = parsed.output;
    switch (move.action) {
      case "origin":
        return this.#origin(move.guest);
      case "send":
        return this.#send(move.guest, move.uri, closed);
      case "cancel":
        return this.#monitor(move.guest).execute("migrate_cancel");
      case "progress":
        return migrationInfoOf(this.#monitor(move.guest));
      case "receive":
        return this.#receive(move, closed);
      case "arrival":
        return this.#arrival(move.guest);
      case "abandon":
        return this.#abandon(move.guest);
    }
  }

  #origin(name: string): GuestOrigin {
    const origin = this.options.emulators.origin(name) ?? this.options.fronts.origin(name);
    if (!origin) throw absentGuest(name, []);
    return origin;
  }

  #monitor(name: string): GuestMonitor & { readonly ended: Promise<unknown> } {
    const emulator = this.options.emulators.emulator(name);
    if (emulator) return { ...monitorOf(emulator), ended: emulator.ended };
    const front = this.options.fronts.monitor(name);
    if (!front) throw absentGuest(name, []);
    return front;
  }

  async #send(name: string, uri: string, closed: Promise<void>): Promise<SendOutcome> {
    const monitor = this.#monitor(name);
    let isOver = false;
    void closed.then(async () => {
      if (!isOver) await monitor.execute("migrate_cancel").catch(() => {});
    });
    const outcome = await sendGuest(monitor, { uri, pause: () => new Promise((resolve) => setTimeout(resolve, lookMs)) });
    isOver = true;
    if (outcome.isSent) {
      await monitor.execute("quit").catch(() => {});
      await monitor.ended;
    }
    return outcome;
  }

  async #receive({ guest: name, origin, facilities, uuid, createsMdev }: Receive, closed: Promise<void>): Promise<string> {
    const { emulators, send, placesOf } = this.options;
    const { migrationSocket: socket } = placesOf(name);
    refuseLongSocketPath(socket);
    if (this.#awaited.has(name)) throw new Refusal(`guest ${name} is awaited already`);
    const createdMdev = uuid !== null && createsMdev && !(await hasMdev(send, uuid)) ? await createMdev(send, uuid) : undefined;
    this.#awaited.set(name, { createdMdev });
    try {
      const emulator = await emulators.startIncoming(origin, facilities);
      await monitorOf(emulator).execute("migrate-incoming", { uri: `unix:${socket}`, "exit-on-error": false });
    } catch (error) {
      await this.#abandon(name);
      throw error;
    }
    void closed.then(() => this.#abandon(name));
    return `unix:${socket}`;
  }

  async #arrival(name: string): Promise<Arrival> {
    const emulator = this.options.emulators.emulator(name);
    if (!emulator) return { hasArrived: false, info: { status: "failed" } };
    return { hasArrived: !emulator.hasEnded && emulator.runState !== "inmigrate", info: await migrationInfoOf(monitorOf(emulator)) };
  }

  async #abandon(name: string): Promise<void> {
    const awaited = this.#awaited.get(name);
    if (!awaited) return;
    this.#awaited.delete(name);
    const { emulators, send } = this.options;
    const emulator = emulators.emulator(name);
    if (emulator && emulator.runState !== "inmigrate") return;
    await emulators.failIncoming(name);
    if (awaited.createdMdev !== undefined) await removeMdev(send, awaited.createdMdev).catch(() => {});
  }
}
