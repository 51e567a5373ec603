import { beforeEach, describe, expect, test } from "vitest";
import { namedCpuModel } from "../cpu/cpu-model.ts";
import { Machine } from "./machine.ts";
import { defaultMachineType, machineType, machineTypes } from "./machine-types.ts";
import { findObject, getProperty, listObject, setProperty } from "./object-queries.ts";
import { QomDevice } from "./qom-object.ts";
import { lineage, qomTypes } from "./qom-types.ts";
import { listDeviceProperties, listTypeProperties, listTypes } from "./type-queries.ts";

const offer = { ap: true, apqci: true, apft: true, apqi: true };
const machineWith = (cpuName: string, cpus = 1): Machine =>
  new Machine({ type: defaultMachineType, cpus, maxCpus: cpus, memoryBytes: 2 ** 27, cpu: namedCpuModel(cpuName, offer) });

const namesAt = ({ root }: Machine, path: string): string[] => listObject(root, path).map(({ name }) => name);

let machine: Machine;

beforeEach(() => {
  machine = machineWith("host", 2);
});

describe("the tree of objects", () => {
  test("has what tools look for", () => {
    expect(listObject(machine.root, "/")).toEqual([
      { name: "type", type: "string" },
      { name: "objects", type: "child<container>" },
      { name: "machine", type: "child<s390-ccw-virtio-10.2-machine>" },
      { name: "chardevs", type: "child<container>" },
    ]);
    expect(namesAt(machine, "/machine")).toEqual(
      expect.arrayContaining(["peripheral", "peripheral-anon", "unattached", "ap-bridge", "virtual-css-bridge"]),
    );
    expect(listObject(machine.root, "/machine/unattached")).toContainEqual({ name: "device[1]", type: "child<host-s390x-cpu>" });
    expect(listObject(machine.root, "/machine/ap-bridge")).toContainEqual({ name: "ap-bus", type: "child<ap-bus>" });
  });

  test("has neither bridge nor bus without AP", () => {
    expect(namesAt(machineWith("z14"), "/machine")).not.toContain("ap-bridge");
    expect([...machineWith("z14").buses()].map(({ type }) => type)).not.toContain("ap-bus");
  });

  test("of an empty machine has almost nothing", () => {
    const empty = new Machine({ type: machineType("none")!, cpus: 1, maxCpus: 1, memoryBytes: 0, cpu: undefined });
    expect([...empty.buses()].map(({ busName }) => busName)).toEqual(["main-system-bus"]);
    expect(namesAt(empty, "/machine/unattached")).toEqual(["type", "sysbus"]);
  });

  test("is found by a whole path or by its end", () => {
    expect(findObject(machine.root, "ap-bridge/ap-bus").path).toBe("/machine/ap-bridge/ap-bus");
    expect(findObject(machine.root, "machine").path).toBe("/machine");
    machine.peripheral.add("machine", new QomDevice("virtio-rng-ccw", "machine"));
    expect(() => findObject(machine.root, "machine")).toThrow("Path 'machine' is ambiguous");
  });
});

describe("a property", () => {
  test("is read, a child as its path", () => {
    expect(getProperty(machine.root, "/machine", "type")).toBe("s390-ccw-virtio-10.2-machine");
    expect(getProperty(machine.root, "/machine", "peripheral")).toBe("/machine/peripheral");
    expect(getProperty(machine.root, "/machine", "smp")).toMatchObject({ cpus: 2 });
    expect(getProperty(machine.root, "/machine", "usb")).toBe(false);
  });

  test("is written where it may be", () => {
    setProperty(machine.root, "/machine", "graphics", false);
    expect(getProperty(machine.root, "/machine", "graphics")).toBe(false);
  });

  test.each([
    [() => getProperty(machine.root, "/nosuch", "type"), "Device '/nosuch' not found", "DeviceNotFound"],
    [() => getProperty(machine.root, "/machine", "foo"), "Property 's390-ccw-virtio-10.2-machine.foo' not found", "GenericError"],
    [
      () => setProperty(machine.root, "/machine", "type", "x"),
      "Property 's390-ccw-virtio-10.2-machine.type' is not writable",
      "GenericError",
    ],
    [() => setProperty(machine.root, "/machine", "loadparm", 5), "Invalid parameter type for 'loadparm', expected: string", "GenericError"],
    [
      () => setProperty(machine.root, "/machine", "graphics", "x"),
      "Invalid parameter type for 'graphics', expected: boolean",
      "GenericError",
    ],
  ])("is refused in QEMU's words: %s", (act, message, errorClass) => {
    let error: unknown;
    try {
      act();
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ message, errorClass });
  });

  test("of a device is fixed", () => {
    machine.peripheral.add("h0", new QomDevice("vfio-ap", "h0"));
    expect(() => setProperty(machine.root, "/machine/peripheral/h0", "sysfsdev", "x")).toThrow(
      "Attempt to set property 'sysfsdev' on device 'h0' (type 'vfio-ap') after it was realized",
    );
  });
});

describe("types", () => {
  test("are listed by what they are", () => {
    expect(listTypes({ implements: "ap-device" })).toEqual([{ name: "vfio-ap", parent: "ap-device" }]);
    expect(listTypes({ implements: "ap-device", abstract: true })).toEqual([
      { name: "ap-device", parent: "device", abstract: true },
      { name: "vfio-ap", parent: "ap-device" },
    ]);
    expect(listTypes({ implements: "nosuch" })).toEqual([]);
    expect(listTypes({ implements: "machine" })).toHaveLength(machineTypes.length);
    expect(listTypes({}).map(({ name }) => name)).toEqual(expect.arrayContaining(["vfio-ap", "ap-bridge", "z14-s390x-cpu", "iommufd"]));
  });

  test("all go back to one", () => {
    for (const { name } of qomTypes) expect(lineage(name).at(-1)?.name, name).toBe("object");
  });

  test("tell what -device takes", () => {
    expect(listDeviceProperties("vfio-ap").map(({ name, type }) => `${name} ${type}`)).toEqual([
      "fd str",
      "iommufd link<iommufd>",
      "sysfsdev str",
    ]);
    expect(listDeviceProperties("ap-bridge")).toEqual([]);
  });

  test("tell all their properties", () => {
    expect(listTypeProperties("vfio-ap").map(({ name }) => name)).toEqual([
      "type",
      "parent_bus",
      "realized",
      "hotplugged",
      "hotpluggable",
      "fd",
      "iommufd",
      "sysfsdev",
    ]);
    expect(listTypeProperties("host-s390x-cpu").map(({ name }) => name)).toEqual(expect.arrayContaining(["ap", "apqi", "msa"]));
  });

  test.each([
    [() => listTypeProperties("nosuch"), "Class 'nosuch' not found", "DeviceNotFound"],
    [() => listDeviceProperties("nosuch"), "Device 'nosuch' not found", "DeviceNotFound"],
    [() => listDeviceProperties("ap-device"), "Parameter 'typename' expects a non-abstract device type", "GenericError"],
    [() => listDeviceProperties("ap-bus"), "Parameter 'typename' expects a non-abstract device type", "GenericError"],
  ])("are refused in QEMU's words: %s", (act, message, errorClass) => {
    let error: unknown;
    try {
      act();
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ message, errorClass });
  });
});
