import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import * as v from "valibot";
import type { InstructionAnswer, InstructionRequest } from "../guest/real/instruction-request.ts";
import type { InstructionPort } from "../guest/real/real-guest-port.ts";
import type { GuestDescription, GuestListener, HostOffer, MigratingDevice, MigratingMachine, PlugOutcome } from "../qemu/guest-port.ts";
import { type ErrnoName, errnoNumbers } from "../sysfs/errno.ts";
import { commandedDevice, commandedMachine, type MigrationAction } from "./commanded-migration.ts";
import type { GuestCommand } from "./guest-commands.ts";
import { guestName } from "./guest-name.ts";
import { decodeAnswer, encodeRequest } from "./instruction-command.ts";

/** Sends a command to a host; rejects with an error that has an errno's name as `code` where it says no. */
export type SendCommand = (command: Readonly<Record<string, unknown>> & { readonly do: string }) => Promise<unknown>;

type GuestAction = GuestCommand["action"];

/** A GuestPort over the commands of a host, wherever that is; whoever makes it passes on the host's events. */
export class CommandGuestPort implements InstructionPort {
  #name = "";
  #listener: GuestListener | undefined;
  readonly device: MigratingDevice;
  readonly machine: MigratingMachine;

  constructor(
    private readonly send: SendCommand,
    readonly offer: HostOffer,
  ) {
    const ask = (action: MigrationAction, parameters?: Readonly<Record<string, unknown>>) => this.#ask(action, parameters);
    this.device = commandedDevice(ask);
    this.machine = commandedMachine(ask);
  }

  static async over(send: SendCommand): Promise<CommandGuestPort> {
    return new CommandGuestPort(send, (await send({ do: "guest", action: "offer" })) as HostOffer);
  }

  /** An event of the host, of whatever kind. */
  take(event: Readonly<Record<string, unknown>>): void {
    if (event.type === "guest" && event.guest === this.#name && event.event === "device-requested") this.#listener?.deviceRequested();
  }

  hostEnded(): void {
    this.#listener?.hostEnded();
  }

  listen(listener: GuestListener): void {
    this.#listener = listener;
  }

  async create({
    name,
    features,
    kind = "model",
    isIncoming = false,
  }: GuestDescription): Promise<"created" | "name-taken" | "name-unusable"> {
    if (!v.is(guestName, name)) return "name-unusable";
    try {
      await this.send({ do: "guest", action: "create", guest: name, features, kind, isIncoming });
    } catch (error) {
      if ((error as { code?: unknown }).code === "EEXIST") return "name-taken";
      throw error;
    }
    this.#name = name;
    return "created";
  }

  async run(): Promise<void> {
    await this.#ask("run");
  }

  async pause(): Promise<void> {
    await this.#ask("pause");
  }

  async powerOff(): Promise<"off"> {
    await this.#ask("power-off");
    return "off";
  }

  async reset(): Promise<ErrnoName | undefined> {
    return ((await this.#ask("reset")) as ErrnoName | null) ?? undefined;
  }

  async plug(sysfsdev: string): Promise<PlugOutcome> {
    const path = sysPath(sysfsdev);
    if (typeof path !== "string") return { isPlugged: false, ...path };
    return (await this.#ask("plug", { sysfsdev: path })) as PlugOutcome;
  }

  async execute(request: InstructionRequest): Promise<InstructionAnswer> {
    return decodeAnswer(await this.#ask("instruction", encodeRequest(request)));
  }

  async unplug(): Promise<void> {
    await this.#ask("unplug");
  }

  async destroy(): Promise<void> {
    await this.#ask("destroy");
    this.#name = "";
  }

  #ask(action: GuestAction, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.send({ do: "guest", action, guest: this.#name, ...parameters });
  }
}

const isBelowSys = (path: string): boolean => path === "/sys" || path.startsWith("/sys/");

/**
 * A path below the host's /sys, which is for the host to look up; of any other one what stat(2) says, and that it is no mediated device. This
 * process may be the one that serves the host's tree, so nothing below /sys is looked at here.
 */
function sysPath(sysfsdev: string): string | { readonly step: "path" | "group-link"; readonly errno: ErrnoName } {
  const path = resolve(sysfsdev);
  if (isBelowSys(path)) return path;
  try {
    statSync(path);
    const target = realpathSync(path);
    return isBelowSys(target) ? target : { step: "group-link", errno: "ENOENT" };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    return { step: "path", errno: code in errnoNumbers ? (code as ErrnoName) : "ENOENT" };
  }
}
