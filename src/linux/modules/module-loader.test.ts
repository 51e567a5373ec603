import { describe, expect, test } from "vitest";
import { createFile, exampleMachine, matrix, TestHost, uuids } from "../../../test/support/test-host.ts";

const [first] = uuids;
const places = [
  "/sys/devices/vfio_ap",
  "/sys/bus/matrix",
  "/sys/bus/ap/drivers/vfio_ap",
  "/sys/module/vfio_ap",
  "/sys/bus/mdev/drivers/vfio_ap_mdev",
];
const areThere = (host: TestHost): boolean[] => places.map((place) => host.exists(place));

describe("vfio_ap", () => {
  test("is absent until it is loaded; the host's drivers have every queue", () => {
    const host = new TestHost({ ...exampleMachine, modules: [] });
    expect(areThere(host)).toEqual(places.map(() => false));
    expect(host.write(createFile, first)).toBe("ENOENT");
    expect(host.boundTo("cex4queue").length).toBe(8);
  });

  test("brings what it depends on, its bus, its driver and its device", () => {
    const host = new TestHost({ ...exampleMachine, modules: [] });
    expect(host.modprobe("vfio-ap")).toBe("done");
    expect(areThere(host)).toEqual(places.map(() => true));
    expect(host.host.linux.modules.modules.map(({ name, usedBy }) => [name, usedBy])).toEqual([
      ["vfio_ap", []],
      ["mdev", ["vfio_ap"]],
      ["vfio", ["mdev", "vfio_ap"]],
      ["kvm", ["vfio_ap"]],
      ["zcrypt_cex4", []],
      ["zcrypt", ["zcrypt_cex4"]],
    ]);
    expect(host.names("/sys/module/vfio/holders")).toEqual(["mdev", "vfio_ap"]);
    expect(host.names("/sys/module/vfio_ap/drivers")).toEqual(["ap:vfio_ap", "mdev:vfio_ap_mdev"]);
    expect(host.log()).toEqual(["<6>vfio_ap matrix: MDEV: Registered"]);
    expect(host.modprobe("vfio_ap")).toBe("done");
    const added = host.uevents().filter(({ action }) => action === "add");
    expect(added.map(({ devpath }) => devpath)).toEqual(["/devices/virtual/misc/vfio", "/devices/vfio_ap/matrix"]);
  });

  test("takes its devices along when it is unloaded, resets their queues, and leaves all queues unbound that are not the host's", () => {
    const host = new TestHost(exampleMachine);
    host.write("/sys/bus/ap/apmask", "-5\n");
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.forget();
    expect(host.rmmod("vfio_ap")).toBe("done");
    expect(areThere(host)).toEqual(places.map(() => false));
    expect(host.resets()).toContain("ZAPQ 05.0004");
    expect(host.log()).toEqual(["<6>vfio_ap matrix: MDEV: Unregistering", `<6>vfio_ap_mdev ${first}: Removing from iommu group 0`]);
    expect(host.read("/sys/bus/ap/bindings")).toBe("4/8\n");
    expect(host.names("/sys/kernel/iommu_groups")).toEqual([]);
    expect(host.exists("/sys/bus/ap/devices/05.0004/status")).toBe(false);
  });

  test("can be loaded again, with nothing left of before", () => {
    const host = new TestHost(exampleMachine);
    host.write("/sys/bus/ap/apmask", "-5\n");
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.rmmod("vfio_ap");
    expect(host.modprobe("vfio_ap")).toBe("done");
    expect(host.boundTo("vfio_ap").length).toBe(4);
    expect(host.read(`${matrix}/mdev_supported_types/vfio_ap-passthrough/available_instances`)).toBe("65536\n");
    expect(host.createMdev(first, { adapters: [5], domains: [4] })).toBe("done");
    expect(host.guestMatrix(first)).toEqual(["05.0004"]);
  });

  test("stays while a guest has one of its devices open: EAGAIN", () => {
    const host = new TestHost(exampleMachine);
    host.createMdev(first);
    host.startGuest("guest1", first);
    expect(host.rmmod("vfio_ap")).toBe("EAGAIN");
    expect(host.exists(`${matrix}/${first}`)).toBe(true);
    host.stopGuest("guest1");
    expect(host.rmmod("vfio_ap")).toBe("done");
  });

  test("without it a mask under no device is free to change", () => {
    const host = new TestHost(exampleMachine);
    host.write("/sys/bus/ap/apmask", "-5\n");
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.rmmod("vfio_ap");
    expect(host.write("/sys/bus/ap/apmask", "+5\n")).toBe("done");
    expect(host.boundTo("cex4queue").length).toBe(8);
  });
});

describe("modules", () => {
  test("that are not there, or that others use, cannot go or come", () => {
    const host = new TestHost();
    expect([host.modprobe("nosuch"), host.rmmod("nosuch"), host.rmmod("vfio")]).toEqual(["ENOENT", "ENOENT", "EAGAIN"]);
    expect(host.rmmod("vfio_ap")).toBe("done");
    expect(host.rmmod("vfio_ap")).toBe("ENOENT");
    expect(host.rmmod("mdev")).toBe("done");
    expect(host.rmmod("vfio")).toBe("done");
  });

  test("have their files", () => {
    const host = new TestHost();
    expect(["initstate", "refcnt", "taint", "initsize"].map((name) => host.read(`/sys/module/vfio/${name}`))).toEqual([
      "live\n",
      "2\n",
      "\n",
      "0\n",
    ]);
    expect(Number(host.read("/sys/module/vfio_ap/coresize"))).toBeGreaterThan(0);
  });

  test("zcrypt_cex4 takes its drivers along and brings them back", () => {
    const host = new TestHost(exampleMachine);
    expect(host.rmmod("zcrypt_cex4")).toBe("done");
    expect(host.names("/sys/bus/ap/drivers")).toEqual(["vfio_ap"]);
    expect(host.read("/sys/bus/ap/bindings")).toBe("0/8\n");
    expect(host.modprobe("zcrypt_cex4")).toBe("done");
    expect(host.boundTo("cex4queue").length).toBe(8);
  });
});
