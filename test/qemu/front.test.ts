import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { threeGuests, until } from "../cli/sandbox.ts";
import { useFrontHost } from "./front-host.ts";

/** The commands of QEMU's and the kernel's documents that start a guest or plug something into it, typed on a host of the documents' example. */
const example = readFileSync(threeGuests, "utf8").replace(/^guests:[\s\S]*/m, "");
const host = useFrontHost("fronts", example.replace(/^name: .*$/m, "name: fronts"));

const processor = "-cpu host,ap=on,apqci=on,apft=on,apqi=on";
const machine = `qemu-system-s390x -nodefaults -nographic ${processor}`;
const device = "-device vfio-ap,sysfsdev=/sys/devices/vfio_ap/matrix";
const mdev1 = "/sys/devices/vfio_ap/matrix/62177883-f1bb-47f0-914d-32a22e3a8804";
const queuesOf1 = ["05.0004", "05.00ab", "06.0004", "06.00ab"];
const devicesOf1 = [...queuesOf1, "card05", "card06"];
const scan = (guest: string) => host.typeInGuest(guest, "echo 1 > /sys/bus/ap/scans");

describe("the three guests of the example", () => {
  const card5 = (id: string): string => `${id.padEnd(8)} CEX5C CCA-Coproc`;
  const card6 = (id: string): string => `${id.padEnd(8)} CEX5A Accelerator`;

  test("list with lszcrypt -V exactly what the document shows", async () => {
    const fronts = await Promise.all([1, 2, 3].map((number) => host.start(`guest${number}`, `${machine} ${device}/$uuid${number}`)));
    const listed = async (number: number): Promise<string[]> => {
      const { stdout } = await host.typeInGuest(`guest${number}`, "lszcrypt -V");
      return stdout
        .split("\n")
        .slice(2, -1)
        .map((row) => row.slice(0, 26).trimEnd());
    };
    expect(await listed(1)).toEqual([..."05 05.0004 05.00ab".split(" ").map(card5), ..."06 06.0004 06.00ab".split(" ").map(card6)]);
    expect(await listed(2)).toEqual("05 05.0047 05.00ff".split(" ").map(card5));
    expect(await listed(3)).toEqual("06 06.0047 06.00ff".split(" ").map(card6));
    // A device that a guest has is no other one's; when the guest is shut down the device may be removed.
    const second = await host.type(`${machine} ${device}/$uuid1`);
    expect(second).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/: Could not open '\/dev\/vfio\/\d': Device or resource busy\n$/),
    });
    for (const front of fronts) expect(await front.quit()).toMatchObject({ status: 0, stderr: "" });
  });

  test("may not share a queue: the third configuration of the document is refused", async () => {
    const { status, stderr } = await host.type("cd /sys/devices/vfio_ap/matrix/$uuid2 && echo 6 > assign_adapter");
    expect({ status, stderr }).toEqual({ status: 1, stderr: "bash: line 1: echo: write error: Address already in use\n" });
  });
});

describe("the command line", () => {
  test.each([
    [`${device.replace("vfio-ap", "vfio_ap")}/$uuid1`, "'vfio_ap' is not a valid device model name"],
    [`${device}/nosuch`, "vfio /sys/devices/vfio_ap/matrix/nosuch: no such host device: No such file or directory"],
    ["-device vfio-ap,sysfsdev=/sys/bus/ap/devices/card05", "vfio card05: no iommu_group found: No such file or directory"],
    [`${device}/$uuid1 ${device}/$uuid2`, "A 'ap-bus' bus was found but is full"],
    ["-cpu z14 -device vfio-ap", "No 'ap-bus' bus found for device 'vfio-ap'"],
  ])("%s is refused with QEMU's text", async (words, text) => {
    const { status, stdout, stderr } = await host.type(`${machine} ${words}`);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^qemu-system-s390x: -device vfio[-_]ap/);
    expect(
      stderr.split("\n").find((line) => line.endsWith(`: ${text}`)),
      stderr,
    ).toBeDefined();
  });

  test.each(["a/b", "../../x", "dom:1@x", "x".repeat(65)])("a guest cannot be named %s, since its folder has its name", async (name) => {
    const { status, stdout, stderr } = await host.type(`${machine} -name ${name}`);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(
      `qemu-system-s390x: guest name '${name}' cannot be that of a guest of this host\n` +
        "Letters, digits, blanks and _ . + - are, 64 of them at most, the first one no blank and no dot.\n",
    );
  });

  test("a guest with a device and ap=off fails to start for want of the bus", async () => {
    const { status, stderr } = await host.type(`${machine} -cpu host,ap=off,apqci=off,apft=off,apqi=off ${device}/$uuid1`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/: No 'ap-bus' bus found for device 'vfio-ap'\n$/);
  });

  test.each([
    "/sys/devices/vfio_ap/matrix/$uuid1",
    "/sys/bus/mdev/devices/$uuid1",
    "/sys/bus/mdev/drivers/vfio_ap_mdev/$uuid1",
    "/sys/devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough/devices/$uuid1",
  ])("a device is found at %s", async (path) => {
    const front = await host.start("guest1", `${machine} -device vfio-ap,sysfsdev=${path}`);
    expect(host.devicesOf("guest1")).toEqual(devicesOf1);
    await front.quit();
  });

  test.each([
    ["-cpu host,ap=on,apqci=on,apft=on", devicesOf1, ""],
    ["-cpu z13,ap=on,apqci=on,apft=on", devicesOf1, ""],
    ["-cpu z13,ap=on,apqci=on,apft=on,apqi=on", devicesOf1, ""],
    ["-cpu host,apqci=off", ["05.0004", "06.0004", "card05", "card06"], ""],
    ["-cpu host,apft=off", [], ""],
  ])("%s shows the guest what its facilities let it see", async (option, seen, stderr) => {
    const front = await host.start("guest1", `${machine.replace(processor, option)} ${device}/$uuid1`);
    expect(host.devicesOf("guest1")).toEqual(seen);
    expect(await front.quit()).toMatchObject({ status: 0, stderr });
  });

  test("QCI and APFT without AP are warned of, and the guest starts", async () => {
    const front = await host.start("guest1", "qemu-system-s390x -nodefaults -nographic -cpu host,ap=off,apqci=on,apft=on");
    expect((await front.quit()).stderr.split("\n").slice(0, 2)).toEqual([
      "qemu-system-s390x: warning: 'apqci' requires 'ap'.",
      "qemu-system-s390x: warning: 'apft' requires 'ap'.",
    ]);
  });

  test("named models have AP off, host and max have what the host has", async () => {
    const expansion = async (name: string): Promise<unknown> => {
      const front = await host.start("guest1", "qemu-system-s390x -nodefaults -nographic -S");
      const qmp = await front.qmp();
      const answer = await qmp.execute("query-cpu-model-expansion", { type: "full", model: { name } });
      qmp.disconnect();
      await front.quit();
      const { ap = false, apqci = false, apft = false } = (answer.return as { model: { props: Record<string, boolean> } }).model.props;
      return { ap, apqci, apft };
    };
    const off = { ap: false, apqci: false, apft: false };
    const on = { ap: true, apqci: true, apft: true };
    expect([await expansion("z14"), await expansion("host"), await expansion("max")]).toEqual([off, on, on]);
  });
});

describe("hot plug of the device", () => {
  test("by device_add is seen at the guest's next scan, and by device_del goes the same way", async () => {
    const front = await host.start("guest1", machine);
    expect(await front.type(`device_add "vfio-ap,sysfsdev=${mdev1},id=hostdev0"`)).toBe("");
    expect(host.devicesOf("guest1")).toEqual([]);
    await scan("guest1");
    expect(host.devicesOf("guest1")).toEqual(devicesOf1);
    expect(await front.type("device_add vfio-ap")).toBe("Error: A 'ap-bus' bus was found but is full\n");
    expect(await front.type("device_del hostdev0")).toBe("");
    expect(host.devicesOf("guest1")).toEqual(devicesOf1);
    await scan("guest1");
    expect(host.devicesOf("guest1")).toEqual([]);
    await front.quit();
  });

  test("as the documents type it is refused: quotes belong to the path, device_del takes an id, a dash is no underscore", async () => {
    const front = await host.start("guest1", machine);
    expect(await front.type(`device_add vfio-ap,sysfsdev="${mdev1}"`)).toBe(
      `Error: vfio "${mdev1}": no such host device: No such file or directory\n`,
    );
    expect(await front.type(`device_add vfio-ap,sysfsdev=${mdev1}`)).toBe("");
    expect(await front.type(`device_del vfio-ap,sysfsdev=${mdev1}`)).toBe(`Error: Device 'vfio-ap,sysfsdev=${mdev1}' not found\n`);
    expect(await front.type("device-del id=hostdev0")).toBe("unknown command: 'device-del'\n");
    expect(await front.type(`device-add "vfio-ap,sysfsdev=${mdev1},id=hostdev0"`)).toBe("unknown command: 'device-add'\n");
    expect(await front.type("device_del /machine/peripheral-anon/device[0]")).toBe("");
    await front.quit();
  });

  test("fails in a guest without AP", async () => {
    const front = await host.start("guest1", `${machine} -cpu host,ap=off,apqci=off,apft=off,apqi=off`);
    expect(await front.type(`device_add vfio-ap,sysfsdev=${mdev1}`)).toBe("Error: No 'ap-bus' bus found for device 'vfio-ap'\n");
    await front.quit();
  });

  test("over QMP has its errors and its event", async () => {
    const front = await host.start("guest1", machine);
    const qmp = await front.qmp();
    const notFound = (command: string) => ({ error: { class: "CommandNotFound", desc: `The command ${command} has not been found` } });
    expect(await qmp.execute("device-add", { id: "hostdev0" })).toEqual(notFound("device-add"));
    expect(await qmp.execute("device-del", { id: "hostdev0" })).toEqual(notFound("device-del"));
    expect(await qmp.execute("device_add", { driver: "vfio-ap", id: "hostdev0", sysfsdev: mdev1 })).toEqual({ return: {} });
    expect(await qmp.execute("device_del", { id: "hostdev0" })).toEqual({ return: {} });
    expect(await qmp.event("DEVICE_DELETED")).toEqual({ device: "hostdev0", path: "/machine/peripheral/hostdev0" });
    expect(await qmp.execute("device_del", { id: "hostdev0" })).toEqual({
      error: { class: "DeviceNotFound", desc: "Device 'hostdev0' not found" },
    });
    qmp.disconnect();
    await front.quit();
  });
});

describe("a running guest", () => {
  test("sees at once what is assigned, unassigned, deconfigured, checkstopped, or comes to the machine later", async () => {
    const front = await host.start("guest1", `${machine} ${device}/$uuid1`);
    const seen = (...names: string[]): Promise<void> => until(() => host.devicesOf("guest1").join() === names.sort().join());
    const { status } = await host.type("cd /sys/devices/vfio_ap/matrix/$uuid1 && echo 0xab > unassign_domain && echo 7 > assign_adapter");
    expect(status).toBe(0);
    await seen("05.0004", "06.0004", "card05", "card06");
    await host.type("echo 0xab > /sys/devices/vfio_ap/matrix/$uuid1/assign_domain");
    await seen(...devicesOf1);
    // Over-provisioning: adapter 7 is assigned, and not there; -7 leaves it to vfio_ap when it comes.
    await host.type("echo 7 > /sys/devices/vfio_ap/matrix/$uuid1/unassign_adapter; echo -7 > /sys/bus/ap/apmask");
    await host.type("echo 7 > /sys/devices/vfio_ap/matrix/$uuid1/assign_adapter");
    expect((await host.hw("card", "add", "7", "--type", "CEX5C")).status).toBe(0);
    await seen(...devicesOf1, "07.0004", "07.00ab", "card07");
    await host.type("echo 7 > /sys/devices/vfio_ap/matrix/$uuid1/unassign_adapter");
    await seen(...devicesOf1);
    await host.hw("card", "remove", "7");
    const inGuest = async (path: string) =>
      (await host.typeInGuest("guest1", `echo 1 > /sys/bus/ap/scans; cat /sys/bus/ap/devices/${path}`)).stdout;
    await host.hw("card", "checkstop", "6", "on");
    expect(await inGuest("card06/chkstop")).toBe("1\n");
    await host.hw("card", "checkstop", "6", "off");
    await host.hw("card", "deconfigure", "6");
    expect(await inGuest("card06/config")).toBe("0\n");
    await host.hw("card", "configure", "6");
    await front.quit();
  });

  test("keeps its queues from the host: taking them back by a mask ends with EBUSY", async () => {
    const front = await host.start("guest1", `${machine} ${device}/$uuid1`);
    expect((await host.type("echo +5 > /sys/bus/ap/apmask")).stderr).toBe("bash: line 1: echo: write error: Device or resource busy\n");
    await front.quit();
  });

  test("survives malformed input on its monitor", async () => {
    const front = await host.start("guest1", `${machine} ${device}/$uuid1`);
    const qmp = await front.qmp();
    qmp.send('{"execute": bad}\n');
    expect(await qmp.next((message) => "error" in message)).toMatchObject({ error: { class: "GenericError" } });
    qmp.send(Buffer.from([0xff, 0x00, 0xc0, 0x0a]));
    expect(await qmp.next((message) => "error" in message)).toMatchObject({ error: { class: "GenericError" } });
    qmp.send('{"execute": "query-sta');
    qmp.disconnect();
    const other = await front.qmp();
    expect(await other.execute("query-status")).toEqual({ return: { status: "running", running: true } });
    other.disconnect();
    expect(host.devicesOf("guest1")).toEqual(devicesOf1);
    await front.quit();
  });

  test("that is removed on 7.2 loses its device: DEVICE_DELETED", async () => {
    const front = await host.start("guest1", `${machine} ${device}/$uuid1,id=hostdev0`);
    const qmp = await front.qmp();
    expect((await host.type("echo 1 > /sys/devices/vfio_ap/matrix/$uuid1/remove")).status).toBe(0);
    expect(await qmp.event("DEVICE_DELETED")).toEqual({ device: "hostdev0", path: "/machine/peripheral/hostdev0" });
    expect((await host.type("ls -d /sys/bus/mdev/devices/$uuid1")).status).toBe(2);
    qmp.disconnect();
    await front.quit();
  });
});
