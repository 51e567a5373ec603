import type { ErrnoName } from "../sysfs/errno.ts";
import type { GuestDescription, GuestListener, GuestPort, HostOffer, PlugOutcome } from "./guest-port.ts";

/**
 * The smallest host that an emulator can run on: it knows mediated devices by their paths, and writes down what it is asked. For tests and
 * benchmarks.
 */
export class ToyGuestPort implements GuestPort {
  readonly calls: string[] = [];
  /** Answers of `plug` by path; a path that is missing does not exist. */
  readonly mdevs = new Map<string, PlugOutcome>();
  readonly takenNames = new Set<string>();
  created: GuestDescription | undefined;
  resetErrno: ErrnoName | undefined;
  /** `asked`: the guest is told, and has not obeyed yet. */
  powerOffOutcome: "off" | "asked" = "off";
  #listener: GuestListener | undefined;

  constructor(readonly offer: HostOffer = { ap: true, apqci: true, apft: true, apqi: true }) {}

  /** What the host's side would say. */
  get events(): GuestListener {
    return this.#listener!;
  }

  async create(guest: GuestDescription): Promise<"created" | "name-taken"> {
    this.calls.push("create");
    if (this.takenNames.has(guest.name)) return "name-taken";
    this.created = guest;
    return "created";
  }

  async run(): Promise<void> {
    this.calls.push("run");
  }

  async pause(): Promise<void> {
    this.calls.push("pause");
  }

  async powerOff(): Promise<"off" | "asked"> {
    this.calls.push("powerOff");
    return this.powerOffOutcome;
  }

  async reset(): Promise<ErrnoName | undefined> {
    this.calls.push("reset");
    return this.resetErrno;
  }

  async plug(sysfsdev: string): Promise<PlugOutcome> {
    this.calls.push(`plug ${sysfsdev}`);
    return this.mdevs.get(sysfsdev) ?? { isPlugged: false, step: "path", errno: "ENOENT" };
  }

  async unplug(): Promise<void> {
    this.calls.push("unplug");
  }

  async destroy(): Promise<void> {
    this.calls.push("destroy");
  }

  listen(listener: GuestListener): void {
    this.#listener = listener;
  }
}
