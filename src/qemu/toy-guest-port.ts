import type { ErrnoName } from "../sysfs/errno.ts";
import type {
  DeviceState,
  GuestDescription,
  GuestListener,
  GuestPort,
  HostOffer,
  MigratingDevice,
  MigratingMachine,
  PlugOutcome,
} from "./guest-port.ts";

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
  /** What the device's data file gives, a read each. */
  readonly deviceData: Uint8Array[] = [];
  /** How a state, or a write to the device's data file, is refused. */
  readonly deviceErrnos = new Map<DeviceState | "write", ErrnoName>();
  /** What the machine sends, or got. */
  saved: Buffer = Buffer.from("the machine");
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

  readonly device: MigratingDevice = {
    setState: async (state) => {
      this.calls.push(`device ${state}`);
      return this.deviceErrnos.get(state);
    },
    read: async () => this.deviceData.splice(0, 1)[0] ?? new Uint8Array(),
    write: async (bytes) => {
      this.calls.push(`device write ${bytes.length}`);
      return this.deviceErrnos.get("write");
    },
  };

  readonly machine: MigratingMachine = {
    send: async (channel) => {
      this.calls.push("send");
      return {
        complete: async () => {
          this.calls.push("complete");
          channel.end(this.saved);
        },
        cancel: async () => void this.calls.push("cancel"),
      };
    },
    receive: async (channel) => {
      const pieces: Buffer[] = [];
      for await (const piece of channel) pieces.push(piece);
      this.saved = Buffer.concat(pieces);
      this.calls.push(`receive ${this.saved.length}`);
    },
    progress: async () => undefined,
  };

  listen(listener: GuestListener): void {
    this.#listener = listener;
  }
}
