import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelEvent } from "../runtime/model.ts";
import type { ClockKind, Runtime } from "../runtime/runtime.ts";
import { type AdapterDescription, describedProfile } from "./adapter-description.ts";
import type { HostConfiguration } from "./configuration.ts";
import { configurationFrom, readConfigurationFile } from "./configuration-file.ts";
import { type HostStatus, parseHostStatus } from "./host-status.ts";
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

/** A line of the kernel log; `level` 0 (emergency) to 7 (debug). */
export interface KernelLogLine {
  readonly sequence: number;
  readonly timeMs: number;
  readonly level: number;
  readonly text: string;
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
  /** What a hypervisor does: a virtual machine, and its vfio-ap device. */
  vm(action: "create" | "close", vm: number | string): Promise<void>;
  vm(action: "open", vm: number | string, mdev: string): Promise<void>;
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
    const runtime = await startRuntime({
      configuration,
      mountPoint,
      clock: options.clock ?? "real",
      onEvent: (event) => options.onEvent?.(event),
      onFault: options.onFault ?? ((error) => process.emitWarning(error)),
    });
    return new LibraryHost(configuration, runtime, mountPoint);
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
    private readonly runtime: Runtime,
    private readonly mountPoint: string | undefined,
  ) {
    this.name = configuration.name;
    this.sys = mountPoint === undefined ? undefined : join(mountPoint, "host");
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

  async vm(action: string, vm: number | string, mdev?: string): Promise<void> {
    await this.runtime.command({ do: "vm", action, vm, ...(mdev === undefined ? {} : { mdev }) });
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
    await this.runtime.stop();
    if (this.mountPoint !== undefined) rmSync(this.mountPoint, { recursive: true, force: true });
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
