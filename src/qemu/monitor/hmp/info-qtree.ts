import { deviceType, type PropertyRecord } from "../../devices/device-types.ts";
import type { QomBus, QomDevice } from "../../objects/qom-object.ts";

/** Buses and what is on them, as `info qtree` draws it. Source: qbus_print of QEMU 10.2.2's system/qdev-monitor.c. */
export function infoQtree(bus: QomBus, indent = 0): string {
  const lines = [`bus: ${bus.busName}`, `  type ${bus.type}`].map((line) => `${" ".repeat(indent)}${line}\n`);
  return lines.join("") + bus.devices.map((device) => deviceText(device, indent + 2)).join("");
}

function deviceText(device: QomDevice, indent: number): string {
  const properties = (deviceType(device.type)?.properties ?? [])
    .filter(isShown)
    .map(({ name, type }) => `  ${name} = ${valueText(type, device.options.get(name))}`);
  const lines = [`dev: ${device.type}, id "${device.id ?? ""}"`, ...properties].map((line) => `${" ".repeat(indent)}${line}\n`);
  return lines.join("") + device.buses.map((below) => infoQtree(below, indent + 2)).join("");
}

/** QEMU shows no property that can only be written. */
const isShown = ({ name }: PropertyRecord): boolean => name !== "fd";

function valueText(type: string, value: unknown): string {
  if (type === "bool") return String(value === true || value === "on");
  return value === undefined && /int|size/.test(type) ? "0 (0x0)" : `"${value ?? ""}"`;
}
