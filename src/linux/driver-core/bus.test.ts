import { beforeEach, describe, expect, test } from "vitest";
import { outcome } from "../../../test/support/test-host.ts";
import { type ErrnoName, fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { list, openAttribute, readAttribute, writeAttribute } from "../../sysfs/tree.ts";
import { KernelLog } from "../kernel-log.ts";
import { WorkQueue } from "../time/work-queue.ts";
import { Bus } from "./bus.ts";
import { Device } from "./device.ts";
import type { Driver } from "./driver.ts";
import { Uevents } from "./uevents.ts";

/** A bus of devices whose names start with the name of the driver that serves them. */
let root: Directory;
let devices: Directory;
let bus: Bus;
let log: KernelLog;
let events: string[];
let refusal: ErrnoName | undefined;

const driver = (name: string, own: Partial<Driver> = {}): Driver => ({
  name,
  matches: (device) => device.name.startsWith("dev"),
  *probe() {
    if (refusal) fail(refusal);
  },
  *remove() {},
  ...own,
});

beforeEach(() => {
  root = new Directory("");
  events = [];
  refusal = undefined;
  log = new KernelLog(() => 0);
  bus = new Bus("toy", new WorkQueue(), log);
  root.addDirectory(new Directory("bus")).addDirectory(bus.directory);
  devices = root.addDirectory(new Directory("devices"));
});

const uevents = new Uevents(({ action, devpath, properties }) => {
  const name = properties.find(([key]) => key === "DRIVER")?.[1];
  events.push(`${action} ${devpath}${name ? ` DRIVER=${name}` : ""}`);
});

const addDevice = (name: string): Device => {
  const device = new Device(name, bus, uevents);
  bus.work.run(bus.addDevice(device, devices));
  return device;
};
const addDriver = (added: Driver): void => {
  bus.work.run(bus.addDriver(added));
};
const write = (path: string, text: string): string => writeTo(`/bus/toy/${path}`, text);
const writeTo = (path: string, text: string): string =>
  outcome(() => {
    void writeAttribute(openAttribute(root, path, "write"), text);
    return "done";
  });
const read = (path: string): string => readAttribute(openAttribute(root, path, "read")) as string;

describe("bind and unbind", () => {
  test.each([
    ["drivers/one/bind", "nosuch", "ENODEV"],
    ["drivers/one/bind", "other0", "ENODEV"],
    ["drivers/one/bind", "dev0", "EBUSY"],
    ["drivers/two/bind", "dev0", "EBUSY"],
    ["drivers/two/unbind", "dev0", "ENODEV"],
    ["drivers/two/unbind", "nosuch", "ENODEV"],
    ["drivers/one/unbind", "other0", "ENODEV"],
    ["drivers/one/unbind", "dev0\n\n", "ENODEV"],
    ["drivers/one/unbind", "dev0\n", "done"],
    ["drivers/one/unbind", "dev0", "done"],
  ])("a write to %s of %j ends with %s", (file, name, answer) => {
    addDriver(driver("one"));
    addDriver(driver("two"));
    addDevice("dev0");
    addDevice("other0");
    expect(write(file, name)).toBe(answer);
  });

  test("bind ends with what the probe refuses with, and leaves nothing behind", () => {
    addDriver(driver("one"));
    addDevice("dev0");
    write("drivers/one/unbind", "dev0");
    refusal = "EIO";
    expect(write("drivers/one/bind", "dev0")).toBe("EIO");
    expect(list(root, "/devices/dev0").some((entry) => entry.startsWith("driver "))).toBe(false);
    expect(list(root, "/bus/toy/drivers/one")).toEqual(["bind 100200", "uevent 100200", "unbind 100200"]);
    expect(log.lines).toEqual([]);
  });

  test("links go both ways, and away again", () => {
    addDriver(driver("one"));
    addDevice("dev0");
    expect(list(root, "/devices/dev0")).toEqual([
      "driver 120777 -> ../../bus/toy/drivers/one",
      "subsystem 120777 -> ../../bus/toy",
      "uevent 100644",
    ]);
    expect(list(root, "/bus/toy/drivers/one")).toContain("dev0 120777 -> ../../../../devices/dev0");
    expect(list(root, "/bus/toy/devices")).toEqual(["dev0 120777 -> ../../../devices/dev0"]);
    write("drivers/one/unbind", "dev0");
    expect(list(root, "/devices/dev0")).toEqual(["subsystem 120777 -> ../../bus/toy", "uevent 100644"]);
  });

  test("are not offered by a driver that suppresses them", () => {
    addDriver(driver("fixed", { suppressesBind: true }));
    expect(list(root, "/bus/toy/drivers/fixed")).toEqual(["uevent 100200"]);
  });
});

describe("probing", () => {
  test("offers a new device to the drivers in the order they came, until one takes it", () => {
    const asked: string[] = [];
    const asking = (name: string, takes: boolean) =>
      driver(name, {
        *probe() {
          asked.push(name);
          if (!takes) fail("ENODEV");
        },
      });
    for (const [name, takes] of [
      ["a", false],
      ["b", true],
      ["c", true],
    ] as const)
      addDriver(asking(name, takes));
    expect(addDevice("dev0").driver?.name).toBe("b");
    expect(asked).toEqual(["a", "b"]);
  });

  test("by drivers_probe binds an unbound device, does nothing to a bound one, and knows no others: ENODEV", () => {
    addDriver(driver("one"));
    const device = addDevice("dev0");
    addDevice("other0");
    write("drivers/one/unbind", "dev0");
    expect(write("drivers_probe", "dev0\n")).toBe("done");
    expect(device.driver?.name).toBe("one");
    expect(write("drivers_probe", "dev0")).toBe("done");
    expect(write("drivers_probe", "other0")).toBe("done");
    expect(write("drivers_probe", "nosuch")).toBe("ENODEV");
  });

  test("by itself can be switched off and on", () => {
    const file = "/bus/toy/drivers_autoprobe";
    expect(read(file)).toBe("1\n");
    expect(write("drivers_autoprobe", "0\n")).toBe("done");
    expect(read(file)).toBe("0\n");
    addDriver(driver("one"));
    const device = addDevice("dev0");
    expect(device.driver).toBeUndefined();
    expect(write("drivers_autoprobe", "anything")).toBe("done");
    expect(read(file)).toBe("1\n");
    addDriver(driver("two"));
    expect(device.driver?.name).toBe("two");
  });

  test.each([
    ["ENODEV", []],
    ["ENXIO", []],
    ["EIO", ["one: probe of dev0 failed with error -5"]],
    ["EBUSY", ["one: probe of dev0 failed with error -16"]],
  ] as const)("that ends with %s logs %j", (errno, texts) => {
    refusal = errno;
    addDriver(driver("one"));
    expect(addDevice("dev0").driver).toBeUndefined();
    expect(log.lines.map(({ level, text }) => [level, text])).toEqual(texts.map((text) => [4, text]));
  });
});

describe("uevents", () => {
  test("of a device's life come in the kernel's order", () => {
    addDriver(driver("one"));
    const device = addDevice("dev0");
    write("drivers/one/unbind", "dev0");
    write("drivers/one/bind", "dev0");
    bus.work.run(bus.removeDevice(device));
    expect(events).toEqual([
      "add /devices/dev0",
      "bind /devices/dev0 DRIVER=one",
      "unbind /devices/dev0",
      "bind /devices/dev0 DRIVER=one",
      "unbind /devices/dev0",
      "remove /devices/dev0",
    ]);
    expect(list(root, "/devices")).toEqual([]);
    expect(list(root, "/bus/toy/devices")).toEqual([]);
  });

  test("can be asked for, of devices alone", () => {
    addDriver(driver("one"));
    addDevice("dev0");
    events.splice(0);
    expect(writeTo("/devices/dev0/uevent", "change")).toBe("done");
    expect(writeTo("/devices/dev0/uevent", "bogus")).toBe("EINVAL");
    expect([write("uevent", "add"), write("uevent", "x"), write("drivers/one/uevent", "add"), write("drivers/one/uevent", "x")]).toEqual([
      "done",
      "EINVAL",
      "done",
      "EINVAL",
    ]);
    expect(events).toEqual(["change /devices/dev0 DRIVER=one"]);
  });

  test("show in the device's own file", () => {
    addDriver(driver("one"));
    addDevice("dev0");
    expect(read("/devices/dev0/uevent")).toBe("DRIVER=one\n");
  });
});

test("a driver that goes lets go of its devices and takes its folder along", () => {
  const removed: string[] = [];
  const one = driver("one", {
    *remove(device) {
      removed.push(device.name);
    },
  });
  addDriver(one);
  addDevice("dev0");
  addDevice("dev1");
  bus.work.run(bus.removeDriver(one));
  expect(removed).toEqual(["dev0", "dev1"]);
  expect(list(root, "/bus/toy/drivers")).toEqual([]);
});
