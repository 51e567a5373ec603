import type { ChildProcess } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launcher, type Outcome, outcomeOf, until } from "../cli/sandbox.ts";
import { forgetMdevs, ownCallouts, useMdevctlHost } from "./mdevctl-host.ts";

/** Debian 13's libvirt with its own daemon, for what Debian 12's does not have: updates of a running device. */
const host = useMdevctlHost(
  "virt",
  `name: virt
machine: { model: z14, adapters: { 5: { type: CEX5C }, 6: { type: CEX5A }, 7: { type: CEX5C } }, usage-domains: [4] }
apmask: "-5,-6"
`,
);
const uuid = "11111111-2222-3333-4444-555555555555";
const name = `mdev_${uuid.replaceAll("-", "_")}_matrix`;
/** Long enough for a daemon on a busy machine to hear of an event. */
const eventMs = 10_000;
const mask = (start: string): string => `0x${start.padEnd(64, "0")}`;

let daemon: ChildProcess | undefined;
let end: Promise<Outcome> | undefined;

beforeAll(async () => {
  if (host.sandbox === undefined) return;
  writeFileSync(join(host.run13, "libvirtd.conf"), 'auth_unix_ro = "none"\nauth_unix_rw = "none"\nunix_sock_group = "root"\n');
  // The driver of domains, which that Debian has too, would not find there what it needs, and end the daemon.
  const start = `mkdir /run/drivers; cp /usr/lib/*/libvirt/connection-driver/libvirt_driver_nodedev.so /run/drivers;
    LIBVIRT_DRIVER_DIR=/run/drivers exec libvirtd --config /run/libvirtd.conf`;
  daemon = host.sandbox.spawn(process.execPath, [launcher, ...host.inside("1.4.0", ownCallouts), "sh", "-c", start]);
  end = outcomeOf(daemon);
  await until(() => existsSync(join(host.run13, "libvirt/libvirt-sock")) || daemon?.exitCode !== null);
  if (daemon.exitCode !== null) throw new Error((await end).stderr);
});
afterAll(async () => {
  daemon?.kill("SIGTERM");
  await end;
});
// By the daemon first: it hears of files that are gone only some time later.
afterEach(async () => {
  await virsh(`destroy ${name}; true`);
  await virsh(`undefine ${name}; true`);
  await host.run("1.4.0", forgetMdevs);
});

const shell = (command: string): Promise<string> => host.text("1.4.0", command, ownCallouts);
const virsh = (words: string): Promise<string> => shell(`virsh -q -c 'nodedev:///system?mode=legacy' nodedev-${words}`);
const matrix = (): Promise<string> => shell(`cat /sys/bus/mdev/devices/${uuid}/matrix`);

/** The file of a device with such attributes, for virsh. */
function fileOf(attributes: Readonly<Record<string, string>>): string {
  const elements = Object.entries(attributes).map(([attribute, value]) => `<attr name='${attribute}' value='${value}'/>`);
  const capability = `<capability type='mdev'><type id='vfio_ap-passthrough'/><uuid>${uuid}</uuid>${elements.join("")}</capability>`;
  writeFileSync(join(host.run13, "device.xml"), `<device><name>${name}</name><parent>ap_matrix</parent>${capability}</device>`);
  return "/run/device.xml";
}
const startable = { assign_adapter: "0x05", assign_domain: "0x0004" };

test("virsh 11 shows the host's cards, queues and matrix in a tree", async () => {
  expect(await shell("virsh --version")).toMatch(/^11\.\d+\.\d+\n$/);
  const lines = (await virsh("list --tree")).split("\n").map((line) => line.replace(/^[ |]*(\+- )?/, ""));
  expect(lines.filter((line) => line !== "")).toEqual([
    "computer",
    ...["ap_card05", "ap_05_0004", "ap_card06", "ap_06_0004", "ap_card07", "ap_07_0004", "ap_matrix"],
  ]);
  expect(await virsh("dumpxml ap_05_0004")).toContain("<name>vfio_ap</name>");
  expect(await virsh("dumpxml ap_07_0004")).toContain("<name>cex4queue</name>");
});

describe("a device of virsh 11", () => {
  const define = async (): Promise<void> => expect(await virsh(`define ${fileOf(startable)}`)).toBe("");

  test("is defined, started, destroyed and undefined", async () => {
    await define();
    expect(await virsh("list --inactive")).toBe(`${name}\n`);
    expect(await virsh(`start ${name}`)).toBe("");
    expect(await matrix()).toBe("05.0004\n");
    expect(await virsh(`info ${name}`)).toMatch(/^Active: +yes\nPersistent: +yes\nAutostart: +no\n/m);
    expect(await virsh("list --cap mdev")).toBe(`${name}\n`);
    expect(await virsh(`destroy ${name}`)).toBe("");
    await expect.poll(() => virsh("list --cap mdev"), { timeout: eventMs }).toBe("");
    expect(await virsh(`autostart ${name}`)).toBe("");
    expect(JSON.parse(await shell(`cat /etc/mdevctl.d/matrix/${uuid}`))).toMatchObject({ start: "auto" });
    expect(await virsh(`undefine ${name}`)).toBe("");
    await expect.poll(() => virsh("list --cap mdev --all"), { timeout: eventMs }).toBe("");
  });

  test("is created without a definition", async () => {
    expect(await virsh(`create ${fileOf(startable)}`)).toBe("");
    expect(await virsh(`info ${name}`)).toMatch(/^Active: +yes\nPersistent: +no\n/m);
    expect(await virsh(`destroy ${name}`)).toBe("");
    await expect.poll(() => virsh("list --cap mdev --all"), { timeout: eventMs }).toBe("");
  });

  test("is updated while it runs", async () => {
    await define();
    await virsh(`start ${name}`);
    const configuration = [mask("02"), mask("08"), mask("08")].join();
    expect(await virsh(`update ${name} ${fileOf({ ap_config: configuration })} --live`)).toBe("");
    expect(await matrix()).toBe("06.0004\n");
    expect(await virsh(`dumpxml ${name}`)).toContain(`<attr name='ap_config' value='${configuration}'/>`);
    expect(await virsh(`dumpxml --inactive ${name}`)).toContain("<attr name='assign_adapter' value='0x05'/>");
  });

  test("stays as it was after an update that the kernel refuses, whose reason is told", async () => {
    await define();
    await virsh(`start ${name}`);
    const refused = await virsh(`update ${name} ${fileOf({ ap_config: [mask("01"), mask("08"), mask("")].join() })} --live`);
    expect(refused).toContain("Unable to modify mediated device: vfio-ap.sh: cat: write error: Cannot assign requested address\n");
    expect(await matrix()).toBe("05.0004\n");
  });

  test("does not start with a queue of the host's own drivers, nor against its callout, and both reasons are told", async () => {
    await define();
    expect(await virsh(`update ${name} ${fileOf({ ...startable, assign_adapter: "0x07" })} --config`)).toBe("");
    expect(await virsh(`start ${name}`)).toContain(
      "Error: Failed to write 0x0004 to attribute assign_domain\n\nCaused by:\n    Cannot assign requested address (os error 99)\n",
    );
    await virsh(`update ${name} ${fileOf({ assign_adapter: "0x05" })} --config`);
    expect(await virsh(`start ${name}`)).toContain(`Unable to create mediated device: vfio-ap.sh: ${uuid} has no usage domain\n`);
    expect(await shell("ls /sys/bus/mdev/devices")).toBe("");
  });

  test("that mdevctl starts is seen by the daemon, which hears of it", async () => {
    await define();
    expect(await shell(`mdevctl start -u ${uuid}`)).toBe("");
    await expect.poll(() => virsh(`info ${name}`), { timeout: eventMs }).toMatch(/^Active: +yes\n/m);
  });
});
