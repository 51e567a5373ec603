import { describe, expect, test } from "vitest";
import { createFile, exampleHost, matrix, TestHost, uuids } from "../../../test/support/test-host.ts";
import { NumberPool } from "./iommu-groups.ts";

const [first, second] = uuids;
const type = `${matrix}/mdev_supported_types/vfio_ap-passthrough`;

describe("create", () => {
  test.each([
    [first, "done"],
    [`${first}\n`, "done"],
    [first.toUpperCase(), "done"],
    [`${first}x`, "done"],
    [first.slice(1), "EINVAL"],
    [`${first}\n\n`, "EINVAL"],
    [`${first} \n`, "EINVAL"],
    [first.replaceAll("-", "_"), "EINVAL"],
    [first.replace("6", "g"), "EINVAL"],
    [`${first.replaceAll("-", "")}----`, "EINVAL"],
    ["\n", "EINVAL"],
  ])("of %j ends with %s", (text, answer) => {
    const host = new TestHost();
    expect(host.write(createFile, text)).toBe(answer);
    expect(host.exists(`${matrix}/${first}`)).toBe(answer === "done");
  });

  test("of an identifier that is there, in whatever case, ends with EEXIST", () => {
    const host = new TestHost();
    host.createMdev(first);
    expect(host.createMdev(first)).toBe("EEXIST");
    expect(host.createMdev(first.toUpperCase())).toBe("EEXIST");
    expect(host.read(`${type}/available_instances`)).toBe("65535\n");
  });
});

test("a device has these entries, and is linked from these places", () => {
  const host = new TestHost();
  host.createMdev(first);
  expect(host.entries(`${matrix}/${first}`)).toEqual([
    "ap_config 100644",
    "assign_adapter 100200",
    "assign_control_domain 100200",
    "assign_domain 100200",
    "control_domains 100444",
    "driver 120777 -> ../../../../bus/mdev/drivers/vfio_ap_mdev",
    "guest_matrix 100444",
    "iommu_group 120777 -> ../../../../kernel/iommu_groups/0",
    "matrix 100444",
    "mdev_type 120777 -> ../mdev_supported_types/vfio_ap-passthrough",
    "remove 100200",
    "subsystem 120777 -> ../../../../bus/mdev",
    "uevent 100644",
    "unassign_adapter 100200",
    "unassign_control_domain 100200",
    "unassign_domain 100200",
    "vfio-dev 40755",
  ]);
  const link = `${first} 120777 -> ../../../devices/vfio_ap/matrix/${first}`;
  expect(host.entries("/sys/bus/mdev/devices")).toEqual([link]);
  expect(host.entries(`${type}/devices`)).toEqual([`${first} 120777 -> ../../../${first}`]);
  expect(host.entries("/sys/kernel/iommu_groups/0/devices")).toEqual([link.replace("../../../", "../../../../")]);
  expect(host.entries(`${matrix}/${first}/vfio-dev/vfio0`)).toContain(`device 120777 -> ../../../${first}`);
  expect(host.names("/sys/class/vfio-dev")).toEqual(["vfio0"]);
  expect(host.entries("/sys/class/mdev_bus")).toEqual(["matrix 120777 -> ../../devices/vfio_ap/matrix"]);
  host.write(`${matrix}/${first}/remove`, "1\n");
  for (const path of ["/sys/bus/mdev/devices", `${type}/devices`, "/sys/kernel/iommu_groups", "/sys/class/vfio-dev", "/sys/class/vfio"]) {
    expect([path, host.names(path)]).toEqual([path, []]);
  }
});

describe("remove", () => {
  test.each([
    ["1\n", "done", false],
    ["0x10", "done", false],
    ["0\n", "done", true],
    ["00", "done", true],
    ["x", "EINVAL", true],
    ["-1\n", "EINVAL", true],
    ["\n", "EINVAL", true],
    ["99999999999999999999", "EINVAL", true],
  ])("of %j ends with %s; the device is there: %s", (text, answer, isThere) => {
    const host = new TestHost();
    host.createMdev(first);
    expect(host.write(`${matrix}/${first}/remove`, text)).toBe(answer);
    expect(host.exists(`${matrix}/${first}/remove`)).toBe(isThere);
  });

  test("unbinds, then takes the device away", () => {
    const host = new TestHost();
    host.createMdev(first);
    const device = `/devices/vfio_ap/matrix/${first}`;
    const group = "/devices/virtual/vfio/0 MAJOR=511 MINOR=0 DEVNAME=vfio/0";
    expect(host.ueventTexts()).toEqual([
      `add ${device}`,
      `add ${group}`,
      `add ${device}/vfio-dev/vfio0`,
      `bind ${device} DRIVER=vfio_ap_mdev`,
    ]);
    host.write(`${matrix}/${first}/remove`, "1\n");
    expect(host.ueventTexts()).toEqual([`remove ${device}/vfio-dev/vfio0`, `remove ${group}`, `unbind ${device}`, `remove ${device}`]);
  });
});

test("groups are numbered from the lowest free number", () => {
  const host = new TestHost();
  host.createMdev(first);
  host.createMdev(second);
  host.write(`${matrix}/${first}/remove`, "1\n");
  host.createMdev(uuids[2]);
  expect(host.entries(`${matrix}/${uuids[2]}`).find((entry) => entry.startsWith("iommu_group"))).toMatch(/\/0$/);
});

test("a pool gives the lowest number that is free", () => {
  const pool = new NumberPool();
  expect([pool.take(), pool.take(), pool.take()]).toEqual([0, 1, 2]);
  pool.give(1);
  pool.give(7);
  pool.give(0);
  expect([pool.take(), pool.take(), pool.take()]).toEqual([0, 1, 3]);
});

test("a device that is unbound from its driver has no matrix files, and gets new ones when it is bound", () => {
  const host = exampleHost("7.2");
  host.createMdev(first, { adapters: [5], domains: [4] });
  expect(host.write("/sys/bus/mdev/drivers/vfio_ap_mdev/unbind", first)).toBe("done");
  expect(host.exists(`${matrix}/${first}/matrix`)).toBe(false);
  expect(host.createMdev(second, { adapters: [5], domains: [4] })).toBe("done");
  expect(host.write("/sys/bus/mdev/drivers/vfio_ap_mdev/bind", first)).toBe("done");
  expect(host.matrix(first)).toEqual([]);
});
