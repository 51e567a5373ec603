import { type AttributeTable, attributeTable, constant } from "../../sysfs/attribute.ts";
import { Directory } from "../../sysfs/node.ts";
import { ueventFile } from "./uevent-file.ts";
import type { Uevents } from "./uevents.ts";

/** What a character device has besides its name in /sys. */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
  /** Its name below /dev. */
  readonly node: string;
}

/**
 * A class of character devices that hang below /sys/devices/virtual: misc, vfio, zcrypt. The folder of its devices is there as long as one is.
 * Source: Linux drivers/base/core.c, device_create.
 */
export class DeviceClass {
  /** /sys/class/NAME */
  readonly directory: Directory;
  readonly #devices: Directory;

  /** `virtual` is /sys/devices/virtual. */
  constructor(
    readonly name: string,
    private readonly virtual: Directory,
    private readonly uevents: Uevents,
  ) {
    this.directory = new Directory(name);
    this.#devices = new Directory(name);
  }

  /** `attributes` adds what the class has besides `dev` and `uevent`. */
  add(name: string, number: DeviceNumber, attributes: (device: Directory) => void = () => {}): Directory {
    const device = new Directory(name);
    device.attach(numberAttributes, number);
    attributes(device);
    device.addLink("subsystem", this.directory);
    if (!this.virtual.lookup(this.name)) this.virtual.addDirectory(this.#devices);
    this.#devices.addDirectory(device);
    this.directory.addLink(name, device);
    this.uevents.emit("add", device.path, this.name, keysOf(number));
    return device;
  }

  remove(name: string, number: DeviceNumber): void {
    const path = `${this.#devices.path}/${name}`;
    this.directory.remove(name);
    this.#devices.remove(name);
    if ([...this.#devices.names()].length === 0) this.virtual.remove(this.name);
    this.uevents.emit("remove", path, this.name, keysOf(number));
  }
}

const keysOf = ({ major, minor, node }: DeviceNumber): [string, string][] => [
  ["MAJOR", String(major)],
  ["MINOR", String(minor)],
  ["DEVNAME", node],
];

const numberAttributes: AttributeTable<DeviceNumber> = attributeTable<DeviceNumber>(
  constant("dev", ({ major, minor }) => `${major}:${minor}\n`),
  ueventFile((number) =>
    keysOf(number)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  ),
);
