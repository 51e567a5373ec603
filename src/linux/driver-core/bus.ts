import { type AttributeTable, attributeTable, readWrite, writeOnly } from "../../sysfs/attribute.ts";
import { Errno, fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import type { Wait } from "../../sysfs/wait.ts";
import { type KernelLog, Level } from "../kernel-log.ts";
import type { Job, WorkQueue } from "../time/work-queue.ts";
import type { Device } from "./device.ts";
import type { Driver } from "./driver.ts";
import { ueventTrigger } from "./uevent-file.ts";

/**
 * A bus: its devices and drivers in the order they were registered, matching, binding, unbinding.
 * Links and uevents follow the kernel's order. Source: Linux drivers/base/bus.c and dd.c.
 */
export class Bus {
  readonly directory: Directory;
  readonly devices = new Map<string, Device>();
  readonly drivers = new Map<string, Driver>();
  readonly #deviceLinks = new Directory("devices");
  readonly #driverDirectories = new Directory("drivers");
  #probesAutomatically = true;

  constructor(
    readonly name: string,
    readonly work: WorkQueue,
    readonly log: KernelLog,
  ) {
    this.directory = new Directory(name);
    this.directory.addDirectory(this.#deviceLinks);
    this.directory.addDirectory(this.#driverDirectories);
    this.directory.attach(busAttributes, this);
  }

  /** May refuse to offer a device to a driver that matches; a subclass's filter. Throws Errno. */
  protected filterProbe(_device: Device, _driver: Driver): void {}

  /** Runs before and after a driver lets go of a device. */
  protected beforeRemove(_device: Device): void {}
  protected *afterRemove(_device: Device): Job<void> {}

  /** Makes the device known under `parent` and offers it to the drivers. */
  *addDevice(device: Device, parent: Directory): Job<void> {
    parent.addDirectory(device.directory);
    device.directory.addLink("subsystem", this.directory);
    this.#deviceLinks.addLink(device.name, device.directory);
    this.devices.set(device.name, device);
    device.announce("add");
    if (this.#probesAutomatically) yield* this.offer(device);
  }

  /** Returns whether this call took it away: a second one waits for the end of the first. */
  *removeDevice(device: Device): Job<boolean> {
    const isFirst = !device.isLeaving;
    device.isLeaving = true;
    yield* this.release(device);
    if (!isFirst) return false;
    this.#deviceLinks.remove(device.name);
    this.devices.delete(device.name);
    device.announce("remove");
    device.directory.remove("subsystem");
    device.directory.parent?.remove(device.name);
    return true;
  }

  *addDriver(driver: Driver): Job<void> {
    this.drivers.set(driver.name, driver);
    const directory = new Directory(driver.name);
    directory.attach(driver.suppressesBind ? driverAttributes : bindableDriverAttributes, { bus: this, driver });
    this.#driverDirectories.addDirectory(directory);
    if (driver.module) {
      directory.addLink("module", driver.module);
      const moduleDrivers = driver.module.lookup("drivers");
      if (moduleDrivers?.kind === "directory") moduleDrivers.addLink(`${this.name}:${driver.name}`, directory);
    }
    if (!this.#probesAutomatically) return;
    for (const device of [...this.devices.values()]) {
      if (!device.driver && driver.matches(device)) yield* this.#tryProbe(device, driver);
    }
  }

  *removeDriver(driver: Driver): Job<void> {
    this.drivers.delete(driver.name);
    for (const device of [...this.devices.values()]) if (device.driver === driver) yield* this.release(device, driver);
    if (driver.module) {
      const moduleDrivers = driver.module.lookup("drivers");
      if (moduleDrivers?.kind === "directory") moduleDrivers.remove(`${this.name}:${driver.name}`);
    }
    this.#driverDirectories.remove(driver.name);
  }

  driverDirectory(driver: Driver): Directory | undefined {
    const node = this.#driverDirectories.lookup(driver.name);
    return node?.kind === "directory" ? node : undefined;
  }

  /** Offers an unbound device to the drivers in turn until one takes it. */
  *offer(device: Device): Job<void> {
    for (const driver of [...this.drivers.values()]) {
      if (device.driver) return;
      if (driver.matches(device)) yield* this.#tryProbe(device, driver);
    }
  }

  /** Takes the device's driver away, if it has one, or if it has this one. */
  *release(device: Device, expected?: Driver): Job<void> {
    yield* device.lock.hold(() => this.#releaseLocked(device, expected));
  }

  *#releaseLocked(device: Device, expected: Driver | undefined): Job<void> {
    const { driver } = device;
    if (!driver || (expected && driver !== expected)) return;
    device.directory.remove("driver");
    this.driverDirectory(driver)?.remove(device.name);
    this.beforeRemove(device);
    yield* driver.remove(device);
    yield* this.afterRemove(device);
    device.driver = undefined;
    this.bindingChanged(device);
    device.announce("unbind");
  }

  /** Unbind and offer again, as device_reprobe does. */
  *reprobe(device: Device): Job<void> {
    yield* this.release(device);
    yield* this.offer(device);
  }

  /** Probes one driver; throws what it or the filter refused with. EBUSY: it has a driver; ENODEV: it or the driver is leaving. */
  *bind(device: Device, driver: Driver): Job<void> {
    yield* device.lock.hold(() => this.#bindLocked(device, driver));
  }

  *#bindLocked(device: Device, driver: Driver): Job<void> {
    if (device.isLeaving || this.drivers.get(driver.name) !== driver) fail("ENODEV");
    if (device.driver) fail("EBUSY");
    this.filterProbe(device, driver);
    yield* this.#probe(device, driver);
  }

  /** Gives a device without a driver to one, also where the filter would not. Throws what the probe refused with. */
  *entrust(device: Device, driver: Driver): Job<void> {
    yield* device.lock.hold(() => this.#probe(device, driver));
  }

  *#probe(device: Device, driver: Driver): Job<void> {
    device.driver = driver;
    const directory = this.driverDirectory(driver);
    if (directory) {
      device.directory.addLink("driver", directory);
      directory.addLink(device.name, device.directory);
    }
    try {
      yield* driver.probe(device);
    } catch (error) {
      device.directory.remove("driver");
      directory?.remove(device.name);
      device.driver = undefined;
      throw error;
    }
    this.bindingChanged(device);
    device.announce("bind");
  }

  /** A device got a driver or lost it: what shows that changed. */
  protected bindingChanged(device: Device): void {
    device.changed("uevent");
  }

  find(text: string): Device | undefined {
    return this.devices.get(text.endsWith("\n") ? text.slice(0, -1) : text);
  }

  get probesAutomatically(): boolean {
    return this.#probesAutomatically;
  }

  set probesAutomatically(value: boolean) {
    this.#probesAutomatically = value;
  }

  *#tryProbe(device: Device, driver: Driver): Job<void> {
    try {
      yield* this.bind(device, driver);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (error.code !== "ENODEV" && error.code !== "ENXIO" && !device.driver) {
        this.log.write(Level.warning, `${driver.name}: probe of ${device.name} failed with error -${error.number}`);
      }
    }
  }
}

const busAttributes: AttributeTable<Bus> = attributeTable<Bus>(
  ueventTrigger(),
  writeOnly("drivers_probe", (bus, text) => {
    const device = bus.find(text) ?? fail("ENODEV");
    if (!device.driver) return bus.work.run(bus.offer(device));
  }),
  readWrite(
    "drivers_autoprobe",
    (bus) => `${bus.probesAutomatically ? 1 : 0}\n`,
    (bus, text) => {
      bus.probesAutomatically = text[0] !== "0";
    },
  ),
);

interface BoundDriver {
  readonly bus: Bus;
  readonly driver: Driver;
}

const driverUevent = ueventTrigger<BoundDriver>();

const driverAttributes: AttributeTable<BoundDriver> = attributeTable<BoundDriver>(driverUevent);

const bindableDriverAttributes: AttributeTable<BoundDriver> = attributeTable<BoundDriver>(
  driverUevent,
  writeOnly("bind", ({ bus, driver }, text): void | Wait<void> => {
    const device = bus.find(text);
    if (!device || !driver.matches(device)) return fail("ENODEV");
    if (device.driver) return fail("EBUSY");
    return bus.work.run(bus.bind(device, driver));
  }),
  writeOnly("unbind", ({ bus, driver }, text): void | Wait<void> => {
    const device = bus.find(text);
    if (!device || device.driver !== driver) return fail("ENODEV");
    return bus.work.run(bus.release(device, driver));
  }),
);
