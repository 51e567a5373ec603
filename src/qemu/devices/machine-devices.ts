import type { GuestPort, StockMonitor } from "../guest-port.ts";
import type { Machine } from "../objects/machine.ts";
import { findObject } from "../objects/object-queries.ts";
import { QomBus, QomDevice, QomObject } from "../objects/qom-object.ts";
import { QemuError } from "../qemu-error.ts";
import { checkDevice, checkUnplug, type DeviceOptions } from "./device-checks.ts";
import { deviceType, virtioBackend } from "./device-types.ts";
import { realizeVfioAp } from "./vfio-ap.ts";
import type { MigrationBlocker } from "./vfio-ap-migration.ts";

export interface MachineDevicesOptions {
  readonly machine: Machine;
  readonly port: GuestPort;
  /** Has all devices but the vfio-ap one, where it is there. */
  readonly stock: StockMonitor | undefined;
  /** -only-migratable: refuses what cannot be migrated. */
  readonly isMigratableOnly: boolean;
  readonly isMigrating: () => boolean;
  /** Data of DEVICE_DELETED, for every object that goes. */
  readonly deleted: (data: { readonly device?: string; readonly path: string }) => void;
  readonly report: (line: string) => void;
  readonly note: (line: string) => void;
}

/** Where and when a device is asked for. */
export interface DeviceRequest {
  /** After the machine was complete. */
  readonly isHotplug: boolean;
  /** Where it stands on the command line. */
  readonly place?: string | undefined;
}

/** The devices of a machine: how they come, are found and go. Whoever calls this does so in the emulator's turn. */
export class MachineDevices {
  constructor(private readonly options: MachineDevicesOptions) {}

  #migrationBlocker: MigrationBlocker | undefined;

  /** What the vfio-ap device has against a migration. */
  get migrationBlocker(): MigrationBlocker | undefined {
    return this.vfioAp && this.#migrationBlocker;
  }

  /** The vfio-ap device, if there is one. */
  get vfioAp(): QomDevice | undefined {
    const onBus = [...this.options.machine.buses()].find(({ type }) => type === "ap-bus");
    return onBus?.devices[0];
  }

  /** QemuError. */
  async add(asked: DeviceOptions, { isHotplug, place }: DeviceRequest): Promise<void> {
    const { machine, port, stock, isMigratableOnly, report, note } = this.options;
    // What this front has no model of is for the stock QEMU to know.
    if (stock && !deviceType(String(asked.get("driver")))) {
      if (isHotplug) await stock.execute("device_add", Object.fromEntries(asked));
      return;
    }
    const { type, bus, id } = checkDevice(machine, asked, { isHotplug, isMigrating: this.options.isMigrating() });
    if (isMigratableOnly && type.name === "vfio-ccw") {
      throw new QemuError(`Device ${type.name} is not migratable, but --only-migratable was specified`);
    }
    if (type.name === "vfio-ap") {
      const { warnings, blocker } = await realizeVfioAp(machine, port, asked, { isMigratableOnly });
      this.#migrationBlocker = blocker;
      for (const warning of warnings) report(`${place === undefined ? "" : `${place}: `}warning: ${warning}`);
    } else if (stock) {
      if (isHotplug) await stock.execute("device_add", Object.fromEntries(asked));
    } else {
      note(`device ${type.name}${id === undefined ? "" : ` "${id}"`} has no effect in a model guest`);
    }
    const device = new QomDevice(type.name, id, bus);
    device.options = new Map([...asked].filter(([name]) => name !== "driver" && name !== "id" && name !== "bus"));
    device.values.set("hotplugged", isHotplug);
    device.values.set("hotpluggable", type.isHotpluggable ?? false);
    if (id === undefined) machine.anonymous.add("device[*]", device);
    else machine.peripheral.add(id, device);
    for (const { type: busType, name } of type.buses ?? []) {
      const number = [...machine.buses()].filter(({ type: other }) => other === busType).length;
      device.addBus(new QomBus(busType, `${id ?? name}${id === undefined ? number : ""}.0`, { isHotpluggable: true }));
    }
    const backend = virtioBackend(type);
    if (backend !== undefined) device.add("virtio-backend", new QomObject(backend));
  }

  /** By id or by path of the object. QemuError. */
  async remove(idOrPath: string): Promise<void> {
    const { stock } = this.options;
    const known = stock ? this.#find(idOrPath) : this.#named(idOrPath);
    if (stock && !(known instanceof QomDevice && known.type === "vfio-ap")) {
      await stock.execute("device_del", { id: idOrPath });
      return;
    }
    const device = this.#named(idOrPath);
    checkUnplug(device, this.options.isMigrating());
    await this.unplug(device);
  }

  /** The stock QEMU let a device go. */
  forget(id: string): void {
    const device = this.options.machine.peripheral.children.get(id);
    if (device instanceof QomDevice) device.remove();
  }

  /** Without asking whether it may go: the host wants it back. */
  async unplug(device: QomDevice): Promise<void> {
    device.isBeingUnplugged = true;
    try {
      if (device.type === "vfio-ap") await this.options.port.unplug();
    } finally {
      device.isBeingUnplugged = false;
    }
    const { id, path } = device;
    const backend = device.children.get("virtio-backend");
    device.remove();
    if (backend) this.options.deleted({ path: `${path}/virtio-backend` });
    this.options.deleted(id === undefined ? { path } : { device: id, path });
  }

  #find(idOrPath: string): QomObject | undefined {
    return idOrPath.startsWith("/") ? this.#objectAt(idOrPath) : this.options.machine.peripheral.children.get(idOrPath);
  }

  #named(idOrPath: string): QomDevice {
    const object = this.#find(idOrPath);
    if (!object) throw new QemuError(`Device '${idOrPath}' not found`, "DeviceNotFound");
    if (!(object instanceof QomDevice)) throw new QemuError(`${idOrPath} is not a hotpluggable device`);
    return object;
  }

  #objectAt(path: string): QomObject | undefined {
    try {
      return findObject(this.options.machine.root, path);
    } catch {
      return undefined;
    }
  }
}
