import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelEvent } from "../runtime/model.ts";
import type { ClockKind, Runtime } from "../runtime/runtime.ts";
import { type AdapterDescription, describedProfile } from "./adapter-description.ts";
import type { HostConfiguration } from "./configuration.ts";
import { configurationFrom, readConfigurationFile } from "./configuration-file.ts";
import { startConfiguredMdevs } from "./configured-mdevs.ts";
import { GuestEmulators } from "./guest-emulators.ts";
import { type HostStatus, parseHostStatus } from "./host-status.ts";
import { type Guest, type KernelLogLine, LibraryGuest } from "./library-guest.ts";
import { startRuntime } from "./start-runtime.ts";

/**
 * A host inside a program or a test. It has no name that others could know it by, no control socket and no namespaces: several may have
 * one name, and `adjunct hosts` shows none of them.
 */
export interface StartOptions {
  /** Also behind a mount, for programs that read files; needs root or a user namespace. */
  readonly mount?: boolean;
  /** `manual`: time passes by `advance` alone. */
  readonly clock?: ClockKind;
  /** Hears of uevents, lines of the kernel log and changed attributes, in order. */
  readonly onEvent?: (event: ModelEvent) => void;
  /** Hears of bugs of the model; without it they become warnings of the process. */
  readonly onFault?: (error: Error) => void;
}

type CardAction = "card remove" | "card configure" | "card deconfigure";
type DomainAction = `${"usage-domain" | "control-domain"} ${"add" | "remove"}`;

/** Every refusal is an Errno with a `code` such as EADDRINUSE. Paths start at that Linux's /sys. */
export interface Host extends AsyncDisposable {
  readonly name: string;
  /** Where its /sys is mounted; undefined without a mount. */
  readonly sys: string | undefined;
  /** The text of an attribute. */
  read(path: string): Promise<string>;
  /** One write(2) of `text` as it is; ends when the write returns, which may be long. */
  write(path: string, text: string): Promise<void>;
  /** `name mode[ -> target]` of each entry, sorted. */
  list(path: string): Promise<string[]>;
  /** What only the HMC can do. */
  hw(action: "card add", id: number, card: AdapterDescription): Promise<void>;
  hw(action: "card checkstop", id: number, isOn: boolean): Promise<void>;
  hw(action: CardAction | DomainAction, id: number): Promise<void>;
  /** Starts a guest as a configuration would; `cpu` is QEMU's -cpu option, `host` without one. Rejects with what QEMU says. */
  startGuest(name: string, options?: { readonly cpu?: string; readonly mdev?: string }): Promise<Guest>;
  /** A guest that was started so, or by the configuration; undefined when it has ended. */
  guest(name: string): Guest | undefined;
  modprobe(name: string): Promise<void>;
  rmmod(name: string): Promise<void>;
  dmesg(): Promise<KernelLogLine[]>;
  status(): Promise<HostStatus>;
  /** Resolves when all work that was begun is done. */
  settle(): Promise<void>;
  /** With a manual clock: lets time pass. */
  advance(milliseconds: number): Promise<void>;
  /** Ends it; its mount is gone then. */
  stop(): Promise<void>;
}

/** Starts a host from a file's path, or from an object with a file's content. Rejects with ConfigurationError for mistakes in it. */
export async function startHost(source: string | object, options: StartOptions = {}): Promise<Host> {
  const configuration = typeof source === "string" ? readConfigurationFile(source) : configurationFrom(source);
  const mountPoint = options.mount ? mkdtempSync(join(tmpdir(), "adjunct-")) : undefined;
  try {
    const emulators = new GuestEmulators({ send: (request) => runtime.command(request) });
    const runtime = await startRuntime({
      configuration: { ...configuration, rules: { modules: [] } },
      mountPoint,
      clock: options.clock ?? "real",
      onEvent: (event) => {
        emulators.take(event);
        options.onEvent?.(event);
      },
      onFault: options.onFault ?? ((error) => process.emitWarning(error)),
    });
    const host = new LibraryHost(configuration, { runtime, emulators, mountPoint });
    try {
      await startConfiguredMdevs(configuration.mdevs, (request) => runtime.command(request));
      for (const guest of configuration.guests) await emulators.start(guest);
    } catch (error) {
      await host.stop();
      throw error;
    }
    return host;
  } catch (error) {
    if (mountPoint !== undefined) rmSync(mountPoint, { recursive: true, force: true });
    throw error;
  }
}

class LibraryHost implements Host {
  readonly name: string;
  readonly sys: string | undefined;
  #nowMs = 0;

  constructor(
    configuration: HostConfiguration,
    private readonly parts: { readonly runtime: Runtime; readonly emulators: GuestEmulators; readonly mountPoint: string | undefined },
  ) {
    this.name = configuration.name;
    this.sys = parts.mountPoint === undefined ? undefined : join(parts.mountPoint, "host");
  }

  private get runtime(): Runtime {
    return this.parts.runtime;
  }

  async read(path: string): Promise<string> {
    return String(await this.runtime.command({ do: "read", path }));
  }

  async write(path: string, text: string): Promise<void> {
    await this.runtime.command({ do: "write", path, data: text });
  }

  async list(path: string): Promise<string[]> {
    return (await this.runtime.command({ do: "list", path })) as string[];
  }

  async hw(action: string, id: number, what?: AdapterDescription | boolean): Promise<void> {
    await this.runtime.command({ do: "hw", action, id, ...hardwareParameter(what) });
  }

  async startGuest(name: string, { cpu = "host", mdev }: { readonly cpu?: string; readonly mdev?: string } = {}): Promise<Guest> {
    const emulator = await this.parts.emulators.start({ name, cpu, ...(mdev !== undefined && { mdev }) });
    return new LibraryGuest(name, emulator, this.runtime);
  }

  guest(name: string): Guest | undefined {
    const emulator = this.parts.emulators.emulator(name);
    return emulator && new LibraryGuest(name, emulator, this.runtime);
  }

  async modprobe(name: string): Promise<void> {
    await this.runtime.command({ do: "modprobe", name });
  }

  async rmmod(name: string): Promise<void> {
    await this.runtime.command({ do: "rmmod", name });
  }

  async dmesg(): Promise<KernelLogLine[]> {
    return (await this.runtime.command({ do: "dmesg" })) as KernelLogLine[];
  }

  async status(): Promise<HostStatus> {
    return parseHostStatus(await this.runtime.command({ do: "status" }));
  }

  async settle(): Promise<void> {
    await this.runtime.command({ do: "settle" });
  }

  async advance(milliseconds: number): Promise<void> {
    this.#nowMs += milliseconds;
    await this.runtime.tick(this.#nowMs);
  }

  async stop(): Promise<void> {
    const { runtime, emulators, mountPoint } = this.parts;
    await emulators.stop();
    await runtime.stop();
    if (mountPoint !== undefined) rmSync(mountPoint, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function hardwareParameter(what: AdapterDescription | boolean | undefined): object {
  if (what === undefined) return {};
  if (typeof what === "boolean") return { on: what };
  const profile = describedProfile(what);
  if (!profile) throw new RangeError(`expected a card type such as CEX5C, got ${what.type}`);
  return { profile };
}
