import { type AttributeTable, attributeTable, constant, readOnly, writeOnly } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { type Task, Wait } from "../../sysfs/wait.ts";
import { Bus } from "../driver-core/bus.ts";
import { Device } from "../driver-core/device.ts";
import type { Driver } from "../driver-core/driver.ts";
import { ueventFile } from "../driver-core/uevent-file.ts";
import type { Uevents } from "../driver-core/uevents.ts";
import type { Generation } from "../generation.ts";
import { type KernelLog, Level } from "../kernel-log.ts";
import { parseUnsigned } from "../text/numbers.ts";
import type { Job, WorkQueue } from "../time/work-queue.ts";
import { IommuGroups, NumberPool } from "./iommu-groups.ts";

/**
 * Mediated devices: a parent offers one type, `create` makes devices of it, `remove` takes one away. The parent's driver says
 * what a device is; this core owns names, groups, links and counts. Source: Linux drivers/vfio/mdev/, drivers/vfio/vfio_main.c.
 */
export interface MdevType {
  /** Directory below mdev_supported_types. */
  readonly id: string;
  readonly name: string;
  readonly deviceApi: string;
  readonly instances: number;
}

/** What the parent's driver does for a mediated device. */
export interface MdevDriver extends Driver {
  /** Called while `remove` finds the device in use: 0, 1, 2 … one call every ten seconds. */
  requestRelease(mdev: Mdev, count: number): void;
}

export class Mdev extends Device {
  groupNumber = -1;
  vfioNumber = -1;
  isInUse = false;
  /** Somebody waits for its user to let it go. */
  removal: Wait<void> | undefined;

  constructor(
    readonly core: MdevCore,
    readonly uuid: string,
    uevents: Uevents,
  ) {
    super(uuid, core.bus, uevents);
    this.directory.attach(mdevAttributes, this);
  }
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const uuidLength = 36;
const requestIntervalMs = 10_000;

export interface MdevEnvironment {
  readonly generation: Generation;
  readonly work: WorkQueue;
  readonly log: KernelLog;
  readonly uevents: Uevents;
  readonly virtual: Directory;
  readonly afterMs: (delayMs: number, fire: () => void) => { cancel(): void };
}

export class MdevCore {
  readonly bus: Bus;
  readonly groups: IommuGroups;
  /** /sys/class/mdev_bus and /sys/class/vfio-dev */
  readonly parentClass = new Directory("mdev_bus");
  readonly vfioDeviceClass = new Directory("vfio-dev");
  readonly generation: Generation;
  readonly work: WorkQueue;
  readonly log: KernelLog;
  readonly #environment: MdevEnvironment;
  readonly #vfioNumbers = new NumberPool();
  #parent: { readonly device: Device; readonly type: MdevType; readonly driver: MdevDriver; readonly typeDirectory: Directory } | undefined;
  #left = 0;
  #isUnregistering = false;

  constructor(environment: MdevEnvironment) {
    this.#environment = environment;
    this.generation = environment.generation;
    this.work = environment.work;
    this.log = environment.log;
    this.bus = new Bus("mdev", environment.work, environment.log);
    this.groups = new IommuGroups(environment.virtual, environment.uevents);
  }

  registerParent(device: Device, type: MdevType, driver: MdevDriver): void {
    const types = new Directory("mdev_supported_types");
    const directory = new Directory(type.id);
    directory.attach(typeAttributes, { core: this, type });
    directory.addDirectory(new Directory("devices"));
    types.addDirectory(directory);
    device.directory.addDirectory(types);
    this.parentClass.addLink(device.name, device.directory);
    this.#parent = { device, type, driver, typeDirectory: directory };
    this.#left = type.instances;
    this.log.write(Level.info, `${device.driver?.name ?? device.name} ${device.name}: MDEV: Registered`);
    device.announce("change", [["MDEV_STATE", "registered"]]);
  }

  *unregisterParent(): Job<void> {
    const parent = this.#parent;
    if (!parent) return;
    this.#isUnregistering = true;
    parent.device.announce("change", [["MDEV_STATE", "unregistered"]]);
    this.log.write(Level.info, `${parent.device.driver?.name ?? parent.device.name} ${parent.device.name}: MDEV: Unregistering`);
    for (const device of [...this.bus.devices.values()]) yield* this.#remove(device as Mdev);
    this.parentClass.remove(parent.device.name);
    parent.device.directory.remove("mdev_supported_types");
    this.#parent = undefined;
    this.#isUnregistering = false;
  }

  get availableInstances(): number {
    return this.#left;
  }

  find(uuid: string): Mdev | undefined {
    return this.bus.devices.get(uuid.toLowerCase()) as Mdev | undefined;
  }

  get mdevs(): Mdev[] {
    return [...this.bus.devices.values()] as Mdev[];
  }

  *create(text: string, size: number): Job<void> {
    if (size !== uuidLength && size !== uuidLength + 1) fail("EINVAL");
    const uuid = text.slice(0, uuidLength).toLowerCase();
    if (!uuidPattern.test(uuid)) fail("EINVAL");
    const parent = this.#parent ?? fail("ENODEV");
    if (this.#isUnregistering) fail("ENODEV");
    if (this.find(uuid)) fail("EEXIST");
    if (this.#left === 0) fail(this.generation.noInstanceLeft);
    this.#setLeft(this.#left - 1);
    const mdev = new Mdev(this, uuid, this.#environment.uevents);
    yield* this.bus.addDevice(mdev, parent.device.directory);
    // The core attaches its driver itself: drivers_autoprobe does not count.
    if (!mdev.driver) yield* this.bus.bind(mdev, parent.driver);
    mdev.directory.addLink("mdev_type", parent.typeDirectory);
    const devices = parent.typeDirectory.lookup("devices");
    if (devices?.kind === "directory") devices.addLink(uuid, mdev.directory);
  }

  /** A write to `remove`: takes the file away, then the device; waits while somebody uses it, or refuses, as the kernel does. */
  remove(mdev: Mdev): void | Wait<void> {
    if (mdev.isLeaving) return fail("EAGAIN");
    if (mdev.isInUse && this.generation.removeInUse === "fails") return fail("EBUSY");
    mdev.directory.hide("remove");
    let isLogged = false;
    return this.work.run(this.#remove(mdev), (task: Task, wait: Wait<void>) => {
      // The kernel says this once and sleeps on; here the writer is let go and the removal stays pending.
      if (!isLogged) this.#logBlocked(mdev, task);
      isLogged = true;
      wait.complete(() => fail("EINTR"));
    });
  }

  /** Whoever opened the device lets it go. */
  released(mdev: Mdev): void {
    mdev.isInUse = false;
    mdev.removal?.complete(() => {});
  }

  /** iommu group, vfio device and their links; called when the driver takes the device. */
  addVfioDevice(mdev: Mdev): void {
    const { log, generation } = this;
    mdev.groupNumber = this.groups.add(mdev.directory, () => mdev.isInUse);
    if (generation.mdevDriver === "vfio_mdev") {
      log.write(Level.info, `iommu: Adding device ${mdev.name} to group ${mdev.groupNumber}`);
      log.write(Level.info, `${generation.mdevDriver} ${mdev.name}: MDEV: group_id = ${mdev.groupNumber}`);
    } else log.write(Level.info, `${generation.mdevDriver} ${mdev.name}: Adding to iommu group ${mdev.groupNumber}`);
    if (!generation.hasVfioDeviceClass) return;
    mdev.vfioNumber = this.#vfioNumbers.take();
    const folder = new Directory("vfio-dev");
    const device = new Directory(`vfio${mdev.vfioNumber}`);
    device.attach(vfioDeviceAttributes, undefined);
    folder.addDirectory(device);
    mdev.directory.addDirectory(folder);
    device.addLink("device", mdev.directory);
    device.addLink("subsystem", this.vfioDeviceClass);
    this.vfioDeviceClass.addLink(device.name, device);
    this.#environment.uevents.emit("add", device.path, this.vfioDeviceClass.name, []);
  }

  /** Sleeps until nobody uses the device; what the vfio core does before a driver lets go. */
  *awaitRelease(mdev: Mdev): Job<void> {
    if (!mdev.isInUse) return;
    const released = new Wait<void>();
    mdev.removal = released;
    for (let count = 0; mdev.isInUse; count++) {
      this.#parent?.driver.requestRelease(mdev, count);
      const turn = new Wait<void>();
      const timer = this.#environment.afterMs(requestIntervalMs, () => turn.complete(() => {}));
      released.onSettled(() => turn.complete(() => {}));
      yield turn;
      timer.cancel();
    }
    mdev.removal = undefined;
  }

  removeVfioDevice(mdev: Mdev): void {
    const { log, generation } = this;
    if (mdev.vfioNumber >= 0) {
      const name = `vfio${mdev.vfioNumber}`;
      this.vfioDeviceClass.remove(name);
      mdev.directory.remove("vfio-dev");
      this.#environment.uevents.emit("remove", `${mdev.path}/vfio-dev/${name}`, this.vfioDeviceClass.name, []);
      this.#vfioNumbers.give(mdev.vfioNumber);
    }
    this.groups.remove(mdev.groupNumber, mdev.directory);
    if (generation.mdevDriver === "vfio_mdev") {
      log.write(Level.info, `iommu: Removing device ${mdev.name} from group ${mdev.groupNumber}`);
      log.write(Level.info, `${generation.mdevDriver} ${mdev.name}: MDEV: detaching iommu`);
    } else log.write(Level.info, `${generation.mdevDriver} ${mdev.name}: Removing from iommu group ${mdev.groupNumber}`);
  }

  *#remove(mdev: Mdev): Job<void> {
    const devices = this.#parent?.typeDirectory.lookup("devices");
    if (devices?.kind === "directory") devices.remove(mdev.uuid);
    mdev.directory.remove("mdev_type");
    if (yield* this.bus.removeDevice(mdev)) this.#setLeft(this.#left + 1);
  }

  #setLeft(left: number): void {
    this.#left = left;
    this.#parent?.typeDirectory.changed("available_instances");
  }

  #logBlocked(mdev: Mdev, task: Task): void {
    this.log.write(
      Level.warning,
      `${this.generation.mdevDriver} ${mdev.name}: Device is currently in use, task "${task.command}" (${task.pid}) blocked until device is released`,
    );
  }
}

const mdevAttributes: AttributeTable<Mdev> = attributeTable<Mdev>(
  writeOnly("remove", (mdev, text) => {
    if (parseRemove(text) !== 0n) return mdev.core.remove(mdev);
  }),
);

/** Any text that is no number is EINVAL, one that is too great as well. */
function parseRemove(text: string): bigint {
  try {
    return parseUnsigned(text);
  } catch {
    return fail("EINVAL");
  }
}

interface OfferedType {
  readonly core: MdevCore;
  readonly type: MdevType;
}

const typeAttributes: AttributeTable<OfferedType> = attributeTable<OfferedType>(
  writeOnly("create", ({ core }, text, size) => core.work.run(core.create(text, size))),
  constant("name", ({ type }) => `${type.name}\n`),
  constant("device_api", ({ type }) => `${type.deviceApi}\n`),
  readOnly("available_instances", ({ core }) => `${core.availableInstances}\n`),
);

const vfioDeviceAttributes: AttributeTable<undefined> = attributeTable<undefined>(ueventFile(() => ""));
