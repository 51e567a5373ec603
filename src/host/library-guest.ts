import type { Emulator } from "../qemu/emulator.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { unplugMdevDevice } from "./guest-emulators.ts";
import { mdevDevice } from "./mdev-device.ts";

/** A line of the kernel log; `level` 0 (emergency) to 7 (debug). */
export interface KernelLogLine {
  readonly sequence: number;
  readonly timeMs: number;
  readonly level: number;
  readonly text: string;
}

/** A guest with its own Linux. Paths start at that Linux's /sys. Refusals of QEMU are errors in its words. */
export interface Guest {
  readonly name: string;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  list(path: string): Promise<string[]>;
  dmesg(): Promise<KernelLogLine[]>;
  /** device_add of a vfio-ap device, device_del of it. */
  plug(mdev: string): Promise<void>;
  unplug(): Promise<void>;
  /** stop, cont, system_reset and quit of QEMU's monitor. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export class LibraryGuest implements Guest {
  constructor(
    readonly name: string,
    private readonly emulator: Emulator,
    private readonly runtime: Runtime,
  ) {}

  async read(path: string): Promise<string> {
    return String(await this.runtime.command({ do: "read", guest: this.name, path }));
  }

  async write(path: string, text: string): Promise<void> {
    await this.runtime.command({ do: "write", guest: this.name, path, data: text });
  }

  async list(path: string): Promise<string[]> {
    return (await this.runtime.command({ do: "list", guest: this.name, path })) as string[];
  }

  async dmesg(): Promise<KernelLogLine[]> {
    return (await this.runtime.command({ do: "dmesg", guest: this.name })) as KernelLogLine[];
  }

  plug(mdev: string): Promise<void> {
    return this.emulator.exclusively(() => this.emulator.addDevice(mdevDevice(mdev)));
  }

  unplug(): Promise<void> {
    return unplugMdevDevice(this.emulator);
  }

  pause(): Promise<void> {
    return this.emulator.exclusively(() => this.emulator.stop());
  }

  resume(): Promise<void> {
    return this.emulator.exclusively(() => this.emulator.cont());
  }

  reset(): Promise<void> {
    return this.emulator.exclusively(() => this.emulator.systemReset());
  }

  stop(): Promise<void> {
    return this.emulator.exclusively(() => this.emulator.quit("host-signal"));
  }
}
