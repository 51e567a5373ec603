import { type AttributeTable, attributeTable, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { Mutex } from "../time/work-queue.ts";
import type { Bus } from "./bus.ts";
import type { Driver } from "./driver.ts";
import { parseSyntheticUevent, type Uevents } from "./uevents.ts";

/**
 * A device of the driver model: a directory, perhaps a bus and a driver, and what its uevents say of it.
 * Source: Linux drivers/base/core.c.
 */
export class Device {
  readonly directory: Directory;
  driver: Driver | undefined;
  /** Held while a driver takes the device or lets it go. */
  readonly lock = new Mutex();
  /** It is being taken away: no driver may have it any more. */
  isLeaving = false;

  constructor(
    readonly name: string,
    readonly bus: Bus | undefined,
    readonly uevents: Uevents,
  ) {
    this.directory = new Directory(name);
    this.directory.attach(deviceAttributes, this);
  }

  /** The path below /sys. */
  get path(): string {
    return this.directory.path;
  }

  /** DEVTYPE of its uevents, if it has one. */
  get deviceType(): string | undefined {
    return undefined;
  }

  /** Keys of its uevents that only its class knows. */
  protected get classKeys(): readonly (readonly [string, string])[] {
    return [];
  }

  get keys(): readonly (readonly [string, string])[] {
    const keys: (readonly [string, string])[] = [];
    if (this.deviceType) keys.push(["DEVTYPE", this.deviceType]);
    if (this.driver) keys.push(["DRIVER", this.driver.name]);
    return [...keys, ...this.classKeys];
  }

  announce(action: string, extra: readonly (readonly [string, string])[] = []): void {
    this.uevents.emit(action, this.path, this.bus?.name ?? "", [...extra, ...this.keys]);
  }

  changed(attribute: string): void {
    this.directory.changed(attribute);
  }
}

const deviceAttributes: AttributeTable<Device> = attributeTable<Device>(
  readWrite(
    "uevent",
    (device) => device.keys.map(([key, value]) => `${key}=${value}\n`).join(""),
    (device, text) => {
      const synthetic = parseSyntheticUevent(text);
      if (!synthetic) return fail("EINVAL");
      return device.announce(synthetic.action, synthetic.keys);
    },
  ),
);
