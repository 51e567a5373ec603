import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { isRunning, launcher, until, whyNotMountable } from "../cli/sandbox.ts";
import { cachedGuestImage, guestStartMs, whyNoGuests } from "../guests/stock-guest.ts";
import { freeQueues, HostPair, uuid } from "./host-processes.ts";
import { atMoment, childrenOf, type Moment, processesOf, watchingMonitor } from "./moments.ts";

/** A real guest that somebody started in the source's host: its front, a process of its own, is killed while the guest moves. */
const reason = whyNoGuests() ?? whyNotMountable();
const emulator = "qemu-system-s390x";

let hosts: HostPair;
beforeAll(async () => {
  if (reason !== undefined) return;
  hosts = new HostPair([]);
  await hosts.up([]);
}, guestStartMs);
afterAll(async () => {
  if (reason !== undefined) return;
  await hosts.close();
  await until(() => processesOf(emulator, hosts.sandbox.folder).length === 0);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(hosts.sandbox.folder);
});
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

/** A front with a guest that boots; resolves with its pid. */
async function startFront(base: string): Promise<number> {
  const { kernel, initrd, commandLine } = cachedGuestImage("debian-12");
  const words = ["-name", "guest1", "-m", "256", "-nodefaults", "-display", "none", "-serial", "null"];
  words.push("-cpu", "host,ap=on,apqci=on,apft=on", "-kernel", kernel, "-initrd", initrd, "-append", commandLine);
  words.push("-device", `vfio-ap,sysfsdev=/sys/devices/vfio_ap/matrix/${uuid}`);
  words.push("-qmp", `unix:${base}.qmp,server=on,wait=off`, "-pidfile", `${base}.pid`);
  hosts.sandbox.spawn(process.execPath, [launcher, "exec", "here", "--", emulator, ...words]);
  await until(() => existsSync(`${base}.pid`) && existsSync(`${base}.qmp`));
  await until(async () => (await hosts.guests("here")).some(({ isRunning }) => isRunning));
  return Number(readFileSync(`${base}.pid`, "utf8"));
}

test.each<Moment>(["memory", "end"])(
  "at %s: the guest is whole at the target or nowhere, and the source's queues are free",
  async (moment) => {
    const base = join(hosts.sandbox.folder, moment);
    const pid = await startFront(base);
    const monitor = await watchingMonitor(`${base}.qmp`);
    const moving = hosts.sandbox.adjunct("migrate", "here", "guest1", "there");
    await atMoment(monitor, moment, 0);
    const stock = childrenOf(pid);
    expect(stock).toHaveLength(1);
    process.kill(pid, "SIGKILL");
    await moving;
    await until(() => ![pid, ...stock].some(isRunning));
    // A target that has all of it and hears nothing more asks, and then runs.
    await until(async () => (await hosts.guests("there")).every(({ isRunning }) => isRunning));
    await until(async () => (await hosts.guests("here")).length === 0);
    expect(await hosts.queues("here")).toEqual(freeQueues);
    const arrived = await hosts.guests("there");
    expect((await hosts.queues("there")).map(({ isInUse }) => isInUse)).toEqual(Array(2).fill(arrived.length === 1));
    if (arrived.length === 0) return;
    const there = await watchingMonitor(join(hosts.sandbox.runFolder, "there/guests/guest1/qmp.sock"));
    expect((await there.execute("query-status")).return).toMatchObject({ status: "running" });
    await there.execute("quit");
    there.disconnect();
  },
);
