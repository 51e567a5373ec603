import type { Machine } from "../objects/machine.ts";
import type { QomBus, QomDevice } from "../objects/qom-object.ts";
import { isOfType, qomType } from "../objects/qom-types.ts";
import { QemuError } from "../qemu-error.ts";
import { type DeviceType, deviceType } from "./device-types.ts";

/** Options of a device as -device and device_add have them, in order; `driver` among them. */
export type DeviceOptions = ReadonlyMap<string, unknown>;

/** When it comes. */
export interface DeviceMoment {
  /** After the machine was complete. */
  readonly isHotplug: boolean;
  readonly isMigrating: boolean;
}

export interface CheckedDevice {
  readonly type: DeviceType;
  readonly bus: QomBus | undefined;
  readonly id: string | undefined;
}

/**
 * What QEMU checks before a device is made, in its order. Source: qdev_device_add_from_qdict of QEMU 10.2.2's system/qdev-monitor.c.
 * QemuError.
 */
export function checkDevice(machine: Machine, options: DeviceOptions, { isHotplug, isMigrating }: DeviceMoment): CheckedDevice {
  checkId(options.get("id"));
  const type = driverOf(options);
  const bus = busFor(machine, type, options.get("bus"));
  if (isMigrating) throw new QemuError("device_add not allowed while migrating");
  if (isHotplug) checkHotplug(type, bus);
  const id = options.has("id") ? String(options.get("id")) : undefined;
  if (id !== undefined && machine.peripheral.children.has(id)) throw new QemuError(`Duplicate device ID '${id}'`);
  checkProperties(type, options);
  return { type, bus, id };
}

/** What QEMU checks before it takes a device out. QemuError. */
export function checkUnplug(device: QomDevice, isMigrating: boolean): void {
  const type = deviceType(device.type);
  if (isOfType(device.type, "cpu")) throw new QemuError("CPU hot unplug not supported on this machine");
  if (device.bus && !device.bus.limits.isHotpluggable) throw new QemuError(`Bus '${device.bus.busName}' does not support hotplugging`);
  if (!type?.isHotpluggable) throw new QemuError(`Device '${device.type}' does not support hotplugging`);
  if (device.isBeingUnplugged) throw new QemuError(`Device ${device.id ?? ""} is already in the process of unplug`);
  if (isMigrating) throw new QemuError("device_del not allowed while migrating");
}

const identifier = /^[A-Za-z][-A-Za-z0-9._]*$/;

/** QemuError where QEMU takes it for no identifier. */
export function checkId(id: unknown): void {
  if (id === undefined || typeof id !== "string" || identifier.test(id)) return;
  throw new QemuError(
    "Parameter 'id' expects an identifier",
    "GenericError",
    "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.",
  );
}

function driverOf(options: DeviceOptions): DeviceType {
  if (!options.has("driver")) throw new QemuError("Parameter 'driver' is missing");
  const driver = String(options.get("driver"));
  const known = deviceType(driver);
  if (known?.isAbstract || (!known && qomType(driver)?.isAbstract && isOfType(driver, "device"))) {
    throw new QemuError("Parameter 'driver' expects a non-abstract device type");
  }
  if (!known || !isOfType(known.name, "device")) {
    const isOther = isOfType(driver, "device");
    throw new QemuError(isOther ? "Parameter 'driver' expects a pluggable device type" : `'${driver}' is not a valid device model name`);
  }
  if (known.isUserCreatable === false) throw new QemuError("Parameter 'driver' expects a pluggable device type");
  return known;
}

function busFor(machine: Machine, { name, busType }: DeviceType, wanted: unknown): QomBus | undefined {
  if (wanted !== undefined) return namedBus(machine, name, busType, String(wanted));
  if (busType === undefined) return undefined;
  const candidates = [...machine.buses()].filter((bus) => isOfType(bus.type, busType));
  if (candidates.length === 0) throw new QemuError(`No '${busType}' bus found for device '${name}'`);
  const free = candidates.find((bus) => !bus.isFull);
  if (!free) throw new QemuError(`A '${busType}' bus was found but is full`);
  return free;
}

function namedBus(machine: Machine, driver: string, busType: string | undefined, wanted: string): QomBus {
  const name = wanted.split("/").at(-1) ?? "";
  const bus = wanted === "/" ? machine.mainBus : [...machine.buses()].find(({ busName }) => busName === name);
  if (!bus) throw new QemuError(`Bus '${wanted}' not found`);
  if (bus.isFull) throw new QemuError(`Bus '${wanted}' is full`);
  if (busType === undefined || !isOfType(bus.type, busType)) {
    throw new QemuError(`Device '${driver}' can't go on ${bus.type} bus`);
  }
  return bus;
}

function checkHotplug({ name, isHotpluggable = false }: DeviceType, bus: QomBus | undefined): void {
  if (bus && !bus.limits.isHotpluggable) throw new QemuError(`Bus '${bus.busName}' does not support hotplugging`);
  if (!isHotpluggable) throw new QemuError(`Device '${name}' does not support hotplugging`);
}

/** Those that -device itself reads. */
const generic = new Set(["driver", "id", "bus"]);

function checkProperties({ name, properties, laterProperties = [] }: DeviceType, options: DeviceOptions): void {
  if (!properties) return;
  for (const [option, value] of options) {
    if (generic.has(option)) continue;
    const property = [...properties, ...laterProperties].find((record) => record.name === option);
    if (!property) throw new QemuError(`Property '${name}.${option}' not found`);
    if (typeof value !== "string") throw new QemuError(`Invalid parameter type for '${option}', expected: string`);
    if (property.type === "OnOffAuto" && !["on", "off", "auto"].includes(value)) {
      throw new QemuError(`Parameter '${option}' does not accept value '${value}'`);
    }
  }
}
