import { beforeEach, describe, expect, test } from "vitest";
import { namedCpuModel } from "../cpu/cpu-model.ts";
import { Emulator } from "../emulator.ts";
import type { PlugOutcome } from "../guest-port.ts";
import { defaultMachineType } from "../objects/machine-types.ts";
import { QomObject } from "../objects/qom-object.ts";
import { ToyGuestPort } from "../toy-guest-port.ts";

const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const path = `/sys/devices/vfio_ap/matrix/${uuid}`;
const plugged: PlugOutcome = { isPlugged: true, irqs: 2 };

let port: ToyGuestPort;
let lines: string[];

beforeEach(() => {
  port = new ToyGuestPort();
  port.mdevs.set(path, plugged);
  lines = [];
});

function emulatorWith(cpuName = "host"): Emulator {
  const machine = { type: defaultMachineType, cpus: 1, maxCpus: 1, memoryBytes: 0, cpu: namedCpuModel(cpuName, port.offer) };
  return new Emulator({ name: "g", port, nowMs: () => 0, machine, report: (line) => lines.push(line) });
}

const options = (record: Readonly<Record<string, unknown>>): Map<string, unknown> => new Map(Object.entries(record));

describe("a device on the command line", () => {
  test.each([
    [{}, "Parameter 'driver' is missing"],
    [{ driver: "vfio_ap", sysfsdev: path }, "'vfio_ap' is not a valid device model name"],
    [{ driver: 5 }, "'5' is not a valid device model name"],
    [{ driver: "ap-device" }, "Parameter 'driver' expects a non-abstract device type"],
    [{ driver: "virtio-ccw-device" }, "Parameter 'driver' expects a non-abstract device type"],
    [{ driver: "ap-bridge" }, "Parameter 'driver' expects a pluggable device type"],
    [{ driver: "sclpquiesce" }, "Parameter 'driver' expects a pluggable device type"],
    [{ driver: "ap-bus" }, "'ap-bus' is not a valid device model name"],
    [{ driver: "vfio-ap", bus: "nosuch" }, "Bus 'nosuch' not found"],
    [{ driver: "vfio-ap", bus: "virtual-css" }, "Device 'vfio-ap' can't go on virtual-css-bus bus"],
    [{ driver: "vfio-ap", bus: "/" }, "Device 'vfio-ap' can't go on System bus"],
    [{ driver: "scsi-hd" }, "No 'SCSI' bus found for device 'scsi-hd'"],
    [{ driver: "vfio-ap", foo: "x" }, "Property 'vfio-ap.foo' not found"],
    [{ driver: "vfio-ap", sysfsdev: 5 }, "Invalid parameter type for 'sysfsdev', expected: string"],
    [{ driver: "vfio-ap", id: "1x" }, "Parameter 'id' expects an identifier"],
    [{ driver: "vfio-ap", sysfsdev: path, iommufd: "i0" }, "Device 'i0' not found"],
    [{ driver: "vfio-ap", sysfsdev: path, iommufd: "r0" }, "Invalid parameter type for 'iommufd', expected: iommufd"],
    [{ driver: "vfio-ap", fd: "5" }, "vfio (null): Use FD passing only with iommufd backend"],
    [{ driver: "vfio-ap" }, "vfio (null): no such host device: Bad address"],
    [{ driver: "vfio-ap", sysfsdev: "/nosuch/dir" }, "vfio /nosuch/dir: no such host device: No such file or directory"],
  ])("%j is refused", async (record, text) => {
    const emulator = emulatorWith();
    emulator.machine.userObjects.add("r0", new QomObject("rng-builtin"));
    await expect(emulator.addDevice(options(record))).rejects.toThrow(text);
  });

  test("is refused for its bus before anything else where the processor has no AP", async () => {
    const emulator = emulatorWith("z14");
    const text = "No 'ap-bus' bus found for device 'vfio-ap'";
    await expect(emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: "/nosuch", foo: "x" }))).rejects.toThrow(text);
    expect(port.calls).toEqual([]);
  });

  test("goes onto a bus by its name", async () => {
    const emulator = emulatorWith();
    await emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: path, bus: "ap-bus" }));
    expect(emulator.vfioAp).toBeDefined();
  });

  test("is refused by a bus that has its one device", async () => {
    const emulator = emulatorWith();
    await emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: path, id: "h0" }));
    const another = { driver: "vfio-ap", sysfsdev: path, id: "h0" };
    await expect(emulator.addDevice(options(another))).rejects.toThrow("A 'ap-bus' bus was found but is full");
    await expect(emulator.addDevice(options({ ...another, bus: "ap-bus" }))).rejects.toThrow("Bus 'ap-bus' is full");
  });

  test("is refused if its id is another one's", async () => {
    const emulator = emulatorWith();
    await emulator.addDevice(options({ driver: "virtio-rng-ccw", id: "h0" }));
    await expect(emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: "/x", id: "h0" }))).rejects.toThrow("Duplicate device ID 'h0'");
  });

  test("gives buses to those that go on it", async () => {
    const emulator = emulatorWith();
    await emulator.addDevice(options({ driver: "virtio-scsi", id: "scsi0" }));
    await emulator.addDevice(options({ driver: "scsi-hd", bus: "scsi0.0" }));
    await emulator.addDevice(options({ driver: "scsi-hd" }));
  });
});

describe("a device that is plugged later", () => {
  test.each([
    [{ driver: "sclpconsole" }, "Bus 's390-sclp-events-bus.0' does not support hotplugging"],
    [{ driver: "diag288" }, "Device 'diag288' does not support hotplugging"],
  ])("%j is refused", async (record, text) => {
    const emulator = emulatorWith();
    await emulator.addDevice(options(record));
    await emulator.begin({ isPaused: true });
    await expect(emulator.addDevice(options(record))).rejects.toThrow(text);
  });
});

describe("a mediated device", () => {
  const cases: [PlugOutcome & { isPlugged: false }, string, string?][] = [
    [{ isPlugged: false, step: "path", errno: "ENOENT" }, `vfio ${path}: no such host device: No such file or directory`],
    [{ isPlugged: false, step: "path", errno: "EACCES" }, `vfio ${path}: no such host device: Permission denied`],
    [{ isPlugged: false, step: "group-link", errno: "ENOENT" }, `vfio ${uuid}: no iommu_group found: No such file or directory`],
    [
      { isPlugged: false, step: "group-open", errno: "EBUSY", group: 3 },
      `vfio ${uuid}: Could not open '/dev/vfio/3': Device or resource busy`,
    ],
    [
      { isPlugged: false, step: "device", errno: "EADDRINUSE", group: 3 },
      `vfio ${uuid}: error getting device from group 3: Address already in use`,
      "Verify all devices in group 3 are bound to vfio-<bus> or pci-stub and not already in use",
    ],
  ];
  test.each(cases)("%j is told", async (outcome, message, hint) => {
    port.mdevs.set(path, outcome);
    const error = await emulatorWith()
      .addDevice(options({ driver: "vfio-ap", sysfsdev: path }))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message, hint });
  });

  test.each([
    [
      { isPlugged: false, step: "group-link", errno: "ENOENT" },
      `vfio ${uuid}: couldn't open directory ${path}/vfio-dev: No such file or directory`,
    ],
    [{ isPlugged: false, step: "group-open", errno: "EBUSY", group: 3 }, `vfio ${uuid}: Failed to open /dev/vfio/devices/vfio3`],
  ] as [PlugOutcome, string][])("%j is told in other words with iommufd", async (outcome, text) => {
    port.mdevs.set(path, outcome);
    const emulator = emulatorWith();
    emulator.machine.userObjects.add("iommufd0", new QomObject("iommufd"));
    await expect(emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: path, iommufd: "iommufd0" }))).rejects.toThrow(text);
  });

  test.each([
    [2, []],
    [1, ["warning: vfio: IRQ 1 not available (number of irqs 1)"]],
    [0, ["warning: vfio: IRQ 0 not available (number of irqs 0)", "warning: vfio: IRQ 1 not available (number of irqs 0)"]],
  ])("with %i interrupts is taken, with warnings", async (irqs, warnings) => {
    port.mdevs.set(path, { isPlugged: true, irqs });
    const emulator = emulatorWith();
    await emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: path }));
    expect(lines).toEqual(warnings);
    expect(emulator.vfioAp).toBeDefined();
  });

  test("that was refused leaves the bus free", async () => {
    const emulator = emulatorWith();
    await expect(emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: "/nosuch" }))).rejects.toThrow();
    await emulator.addDevice(options({ driver: "vfio-ap", sysfsdev: path }));
  });
});
