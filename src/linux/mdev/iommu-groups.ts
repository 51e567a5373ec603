import { type AttributeTable, attributeTable, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { DeviceClass, type DeviceNumber } from "../driver-core/device-class.ts";
import type { Uevents } from "../driver-core/uevents.ts";
import { VfioNodes } from "./vfio-nodes.ts";

/**
 * Numbered IOMMU groups, one a mediated device, the lowest free number first, and the vfio group device of each with its file in /dev.
 * Source: Linux drivers/iommu/iommu.c, drivers/vfio/group.c.
 */
export class NumberPool {
  readonly #taken = new Set<number>();
  /** All below are taken. */
  #lowest = 0;

  take(): number {
    while (this.#taken.has(this.#lowest)) this.#lowest++;
    this.#taken.add(this.#lowest);
    return this.#lowest++;
  }

  give(number: number): void {
    if (this.#taken.delete(number)) this.#lowest = Math.min(this.#lowest, number);
  }
}

/** The dynamic major number that vfio groups get on a machine without other users of one. */
const vfioMajor = 511;

const groupNumber = (number: number): DeviceNumber => ({ major: vfioMajor, minor: number, node: `vfio/${number}` });

export class IommuGroups {
  readonly directory = new Directory("iommu_groups");
  /** /sys/class/vfio */
  readonly vfioClass: DeviceClass;
  readonly nodes = new VfioNodes();
  readonly #numbers = new NumberPool();

  constructor(virtual: Directory, uevents: Uevents) {
    this.vfioClass = new DeviceClass("vfio", virtual, uevents);
  }

  /** Makes a group with one device in it; its number. */
  add(device: Directory, isInUse: () => boolean): number {
    const number = this.#numbers.take();
    const name = String(number);
    const group = new Directory(name);
    group.attach(groupAttributes, group);
    const devices = new Directory("devices");
    group.addDirectory(devices);
    this.directory.addDirectory(group);
    devices.addLink(device.name, device);
    device.addLink("iommu_group", group);
    this.nodes.add(number, isInUse);
    this.vfioClass.add(name, groupNumber(number));
    return number;
  }

  remove(number: number, device: Directory): void {
    const name = String(number);
    this.vfioClass.remove(name, groupNumber(number));
    this.nodes.remove(number);
    device.remove("iommu_group");
    this.directory.remove(name);
    this.#numbers.give(number);
  }
}

const groupAttributes: AttributeTable<Directory> = attributeTable<Directory>(
  readOnly("name", () => "vfio-noiommu\n"),
  readOnly("reserved_regions", () => ""),
  // Without a default domain there is no type to change.
  readWrite(
    "type",
    () => "unknown\n",
    () => fail("EINVAL"),
  ),
);
