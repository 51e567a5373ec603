import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { launcher, outcomeOf, printed } from "../cli/sandbox.ts";
import { useToolHost } from "./tool-host.ts";

/** libvirt's node devices beyond the document's procedure: events, the refusals, what a restart of the host leaves. */
const configuration = `name: nodes
machine: { model: z14, adapters: { 5: { type: CEX5C }, 6: { type: CEX5A } }, usage-domains: [4] }
apmask: "-5,-6"
mdevs:
  62177883-f1bb-47f0-914d-32a22e3a8804: { adapters: [6], domains: [4] }
`;
const host = useToolHost("nodes", configuration);
const uuid = "11111111-2222-3333-4444-555555555555";
const device = `mdev_${uuid.replaceAll("-", "_")}_matrix`;
const fromFile = "mdev_62177883_f1bb_47f0_914d_32a22e3a8804_matrix";

/** What virsh prints, without the empty line that it ends with. */
const virsh = async (words: string): Promise<string> => (await host.text("bookworm", `virsh nodedev-${words}`)).replace(/\n\n$/, "\n");
const deviceFile = (attributes: string): string =>
  host.sandbox.file(
    "device.xml",
    `<device><parent>ap_matrix</parent><capability type='mdev'><type id='vfio_ap-passthrough'/><uuid>${uuid}</uuid>${attributes}</capability></device>`,
  );
const attribute = (name: string, value: string): string => `<attr name='${name}' value='${value}'/>`;
const queue5 = attribute("assign_adapter", "0x05") + attribute("assign_domain", "0x0004");

test("nodedev-event sees every change, in order", async () => {
  const words = ["exec", "nodes", "--", "virsh", "nodedev-event", "--event", "lifecycle", "--loop"];
  const watcher = host.sandbox.spawn(process.execPath, [launcher, ...words]);
  const ended = outcomeOf(watcher);
  const last = printed(watcher, new RegExp(`ap_card07: Deleted[^]*${device}: Undefined`));
  // It prints nothing when it listens: a change that it sees tells.
  let isListening = false;
  watcher.stdout?.on("data", () => {
    isListening = true;
  });
  while (!isListening) {
    await host.run("bookworm", "echo change > /sys/devices/ap/card05/uevent");
    await virsh(`define ${deviceFile(queue5)}`);
    await virsh(`undefine ${device}`);
  }
  expect(await virsh(`define ${deviceFile(queue5)}`)).toMatch(/^Node device .* defined/);
  await virsh(`start ${device}`);
  await virsh(`destroy ${device}`);
  expect((await host.sandbox.adjunct("hw", "nodes", "card", "add", "7", "--type", "CEX5C")).status).toBe(0);
  await host.run("bookworm", "echo 1 > /sys/bus/ap/scans");
  expect((await host.sandbox.adjunct("hw", "nodes", "card", "remove", "7")).status).toBe(0);
  await host.run("bookworm", "echo 1 > /sys/bus/ap/scans");
  await virsh(`undefine ${device}`);
  await last;
  watcher.kill("SIGINT");
  const { stdout } = await ended;
  const lines = [...stdout.matchAll(/node device (\S+): (\w+)/g)].map(([, name, change]) => `${name} ${change}`);
  const start = lines.lastIndexOf(`${device} Defined`);
  expect(lines.slice(start)).toEqual([
    `${device} Defined`,
    `${device} Created`,
    `${device} Deleted`,
    "ap_card07 Created",
    "ap_07_0004 Created",
    "ap_07_0004 Deleted",
    "ap_card07 Deleted",
    `${device} Undefined`,
  ]);
});

test("nodedev-create answers in under a second and leaves a transient device", async () => {
  await virsh("list");
  const file = deviceFile(queue5);
  const beforeMs = performance.now();
  expect(await virsh(`create ${file}`)).toBe(`Node device ${device} created from ${file}\n`);
  expect(performance.now() - beforeMs).toBeLessThan(1000);
  expect(await virsh(`info ${device}`)).toMatch(/^Name: +\S+\nParent: +ap_matrix\nActive: +yes\nPersistent: +no\n/);
  await virsh(`destroy ${device}`);
  expect(await virsh("list --cap mdev --all")).toBe(`${fromFile}\n`);
});

describe("what the kernel refuses reaches virsh", () => {
  test.each([
    [
      "a queue that the host's drivers own",
      attribute("assign_adapter", "9") + attribute("assign_domain", "0x04"),
      "Cannot assign requested address (os error 99)",
    ],
    [
      "a queue of another mediated device",
      attribute("assign_adapter", "6") + attribute("assign_domain", "4"),
      "Address already in use (os error 98)",
    ],
    ["a number that is none", attribute("assign_adapter", "six"), "Invalid argument (os error 22)"],
    ["an adapter that is too great", attribute("assign_adapter", "256"), "No such device (os error 19)"],
  ])("%s, and nothing is left behind", async (_what, attributes, text) => {
    const printedText = await virsh(`create ${deviceFile(attributes)}`);
    expect(printedText).toContain("error: Failed to create node device from");
    expect(printedText).toContain(text);
    expect(await host.text("bookworm", `ls /sys/bus/mdev/devices; ls /sys/kernel/iommu_groups`)).toBe(
      "62177883-f1bb-47f0-914d-32a22e3a8804\n0\n",
    );
  });

  test("a device that a guest has is not destroyed: /dev/vfio says EBUSY", async () => {
    const front = host.sandbox.spawn(process.execPath, [
      ...[launcher, "exec", "nodes", "--", "qemu-system-s390x", "-nographic", "-cpu", "host", "-monitor", "stdio", "-serial", "null"],
      ...["-device", "vfio-ap,sysfsdev=/sys/bus/mdev/devices/62177883-f1bb-47f0-914d-32a22e3a8804"],
    ]);
    const ended = outcomeOf(front);
    await printed(front, /\(qemu\) /);
    front.stdin?.write("info status\n");
    await printed(front, /VM status: running/);
    expect(await host.text("bookworm", "cat /dev/vfio/0")).toMatch(/\/dev\/vfio\/0: Device or resource busy/);
    expect(await virsh(`destroy ${fromFile}`)).toContain(`Unable to destroy '${fromFile}': device in use`);
    front.stdin?.write("quit\n");
    expect((await ended).status).toBe(0);
    expect(await host.text("bookworm", "cat /dev/vfio/0")).toMatch(/\/dev\/vfio\/0: Invalid argument/);
  });
});

test("a restart of the host brings back the device that is marked for it, keeps other definitions, and forgets transient devices", async () => {
  const auto = uuid;
  const manual = "22222222-2222-3333-4444-555555555555";
  const transient = "33333333-2222-3333-4444-555555555555";
  const define = (name: string, more: string) => `mdevctl define -u ${name} -p matrix -t vfio_ap-passthrough ${more}`;
  const add = (name: string, what: string, value: string) => `mdevctl modify -u ${name} --addattr=assign_${what} --value=${value}`;
  const { status, stderr } = await host.run(
    "bookworm",
    [
      define(auto, "-a"),
      add(auto, "adapter", "5"),
      add(auto, "domain", "4"),
      define(manual, ""),
      `mdevctl start -u ${auto}`,
      `mdevctl start -u ${transient} -p matrix -t vfio_ap-passthrough`,
    ].join(" && "),
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect((await host.sandbox.adjunct("down", "nodes")).status).toBe(0);
  await host.sandbox.up(host.sandbox.file("nodes.yaml", configuration));
  expect(await host.text("bookworm", `cat /sys/bus/mdev/devices/${auto}/matrix; ls /sys/bus/mdev/devices; mdevctl list -d`)).toBe(
    `05.0004\n${auto}\n62177883-f1bb-47f0-914d-32a22e3a8804\n${auto} matrix vfio_ap-passthrough auto (active)\n${manual} matrix vfio_ap-passthrough manual\n\n`,
  );
  // As udev has it done when the module comes again.
  await host.run("bookworm", "rmmod vfio_ap && modprobe vfio_ap && echo 1 > /sys/bus/ap/scans");
  const ls = "ls /sys/bus/mdev/devices";
  while ((await host.text("bookworm", ls)) === "");
  expect(await host.text("bookworm", ls)).toBe(`${auto}\n`);
  await host.run("bookworm", `mdevctl undefine -u ${auto}; mdevctl undefine -u ${manual}`);
});

test("masks that chzdev wrote for the next start are there after it, before those of the configuration", async () => {
  expect((await host.run("trixie", "chzdev --type ap -p aqmask=-4 apmask=+5")).status).toBe(0);
  await host.sandbox.adjunct("down", "nodes");
  await host.sandbox.up(host.sandbox.file("nodes.yaml", configuration));
  expect(await host.text("trixie", "cat /sys/bus/ap/aqmask /sys/bus/ap/apmask; rm /etc/udev/rules.d/41-ap.rules")).toBe(
    `0x${"f7".padEnd(64, "f")}\n0x${"f9".padEnd(64, "f")}\n`,
  );
});
