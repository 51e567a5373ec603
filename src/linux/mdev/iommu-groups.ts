import { type AttributeTable, attributeTable, readOnly, readWrite } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { ueventFile } from "../driver-core/uevent-file.ts";

/**
 * Numbered IOMMU groups, one a mediated device, the lowest free number first, and the vfio group device of each.
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

export class IommuGroups {
  readonly directory = new Directory("iommu_groups");
  /** /sys/class/vfio */
  readonly vfioClass = new Directory("vfio");
  readonly #vfioDevices = new Directory("vfio");
  readonly #numbers = new NumberPool();

  constructor(readonly virtual: Directory) {}

  /** Makes a group with one device in it; its number. */
  add(device: Directory): number {
    const number = this.#numbers.take();
    const group = new Directory(String(number));
    group.attach(groupAttributes, group);
    const devices = new Directory("devices");
    group.addDirectory(devices);
    this.directory.addDirectory(group);
    devices.addLink(device.name, device);
    device.addLink("iommu_group", group);
    this.#addVfioGroup(number);
    return number;
  }

  remove(number: number, device: Directory): void {
    device.remove("iommu_group");
    this.directory.remove(String(number));
    this.vfioClass.remove(String(number));
    this.#vfioDevices.remove(String(number));
    if ([...this.#vfioDevices.names()].length === 0) this.virtual.remove("vfio");
    this.#numbers.give(number);
  }

  #addVfioGroup(number: number): void {
    if (!this.virtual.lookup("vfio")) this.virtual.addDirectory(this.#vfioDevices);
    const device = new Directory(String(number));
    device.attach(vfioGroupAttributes, number);
    this.#vfioDevices.addDirectory(device);
    device.addLink("subsystem", this.vfioClass);
    this.vfioClass.addLink(String(number), device);
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

const vfioGroupAttributes: AttributeTable<number> = attributeTable<number>(
  readOnly("dev", (number) => `${vfioMajor}:${number}\n`),
  ueventFile((number) => `MAJOR=${vfioMajor}\nMINOR=${number}\nDEVNAME=vfio/${number}\n`),
);
