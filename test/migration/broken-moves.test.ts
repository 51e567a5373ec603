import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isRunning, until } from "../cli/sandbox.ts";
import { guestStartMs, whyNoGuests } from "../guests/stock-guest.ts";
import { freeQueues, type HostName, HostPair, hostNames, otherThan, type QueueState, uuid } from "./host-processes.ts";
import { atMoment, CuttableSocket, type Moment, processesOf, watchingMonitor } from "./moments.ts";

/**
 * What is killed while a real guest moves between two hosts' processes. src/qemu/migration/faults.test.ts does that at every step of the
 * protocol, in one process; here the processes, sockets and stock QEMUs are real. ADJUNCT_RUNS above 1: more moments of each.
 */
const reason = whyNoGuests();
const guest = `guest1: { cpu: "host,ap=on,apqci=on,apft=on", mdev: ${uuid}, linux: debian-12, memory: 256 }`;
const emulator = "qemu-system-s390x";

/** From the guest's standing on, in milliseconds. */
const delays = Number(process.env.ADJUNCT_RUNS ?? 1) > 1 ? [0, 5, 10, 20, 40, 80, 160, 320] : [0];
const moments: readonly { readonly moment: Moment; readonly delayMs: number }[] = [
  { moment: "memory", delayMs: 0 },
  ...delays.map((delayMs) => ({ moment: "end", delayMs }) as const),
];

/** How each move ended. */
const ends = new Map<string, number>();

let hosts: HostPair;
/** Where the guest is. */
let at: HostName;

beforeAll(async () => {
  if (reason !== undefined) return;
  hosts = new HostPair();
  await hosts.up([guest]);
  at = "here";
  expect(await hosts.inGuest(at, "lszcrypt | grep -c online")).toBe("4\n");
}, guestStartMs);
afterAll(async () => {
  if (reason !== undefined) return;
  console.log(`moves: ${[...ends].map(([end, count]) => `${count} ${end}`).join(", ")}; never two`);
  await hosts.close();
  await until(() => processesOf(emulator, hosts.sandbox.folder).length === 0);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(hosts.sandbox.folder);
});
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

const folderOf = (host: HostName): string => join(hosts.sandbox.runFolder, host, "guests/guest1");
/** One that is gone already, long after the guest stood, is none to kill. */
function killStockQemu(host: HostName, delayMs: number): void {
  const pids = processesOf(emulator, `${folderOf(host)}/`);
  if (pids.length > 1 || (pids.length === 0 && delayMs === 0)) throw new Error(`${host} has ${pids.length} stock QEMUs`);
  for (const pid of pids) process.kill(pid, "SIGKILL");
}

const runningAt = async (host: HostName): Promise<boolean> => (await hosts.guests(host)).some(({ isRunning }) => isRunning);

/** Begins to move the guest, does something at that moment, and waits until the move is over, whatever came of it. */
async function movedWhile(moment: Moment, delayMs: number, act: () => void): Promise<number | null> {
  const monitor = await watchingMonitor(join(folderOf(at), "qmp.sock"));
  const moving = hosts.sandbox.adjunct("migrate", at, "guest1", otherThan(at));
  await atMoment(monitor, moment, delayMs);
  act();
  const { status } = await moving;
  monitor.disconnect();
  return status;
}

/** The one host of those where it runs, with its cards; nothing of it is left at the other. */
async function expectOneGuest(): Promise<void> {
  const running: HostName[] = [];
  for (const host of hostNames) if (await runningAt(host)) running.push(host);
  expect(running).toHaveLength(1);
  countEnd(running[0] === at ? "stayed" : "went");
  at = running[0]!;
  await expectNothingOf(otherThan(at));
  expect(await hosts.inGuest(at, "echo 1 >/sys/bus/ap/scans; lszcrypt | grep -c online")).toBe("4\n");
  expect((await hosts.queues(at)).map(({ isInUse }) => isInUse)).toEqual([true, true]);
}

async function expectNothingOf(host: HostName): Promise<void> {
  expect(await hosts.guests(host)).toEqual([]);
  // Those of a host where it never was are still as the bus left them to vfio_ap.
  const unused = ({ interrupts: _, ...state }: QueueState): object => state;
  expect((await hosts.queues(host)).map(unused)).toEqual(freeQueues.map(unused));
  expect(processesOf(emulator, folderOf(host))).toEqual([]);
}

describe.each(moments)("at $moment, $delayMs ms later,", ({ moment, delayMs }) => {
  test("a target's host that is killed leaves the guest at the source", async () => {
    const target = otherThan(at);
    const isMoved = (await movedWhile(moment, delayMs, () => process.kill(hosts.pids.get(target)!, "SIGKILL"))) === 0;
    await until(() => !isRunning(hosts.pids.get(target)!) && processesOf(emulator, folderOf(target)).length === 0);
    await hosts.upAgain(target);
    // A guest that was there already is gone with its host.
    if (isMoved) return restartAfter("went and was lost with the target");
    await expectOneGuest();
    expect(at).not.toBe(target);
  });

  test("a target's stock QEMU that is killed leaves the guest at the source", async () => {
    const source = at;
    const isMoved = (await movedWhile(moment, delayMs, () => killStockQemu(otherThan(source), delayMs))) === 0;
    if (isMoved) return restartAfter("went and was lost with the target");
    await expectOneGuest();
    expect(at).toBe(source);
  });

  test("a connection that is cut leaves the guest at one of the two", async () => {
    const [source, target] = [at, otherThan(at)];
    const origin = await hosts.ask(source, { do: "guest-move", action: "origin", guest: "guest1" });
    const facilities = { ap: true, apqci: true, apft: true, apqi: false };
    const receive = { do: "guest-move", action: "receive", guest: "guest1", origin, facilities, uuid, createsMdev: true };
    const uri = String(await hosts.ask(target, receive));
    const socket = await CuttableSocket.between(join(hosts.sandbox.folder, "between"), uri.slice("unix:".length));
    const monitor = await watchingMonitor(join(folderOf(source), "qmp.sock"));
    await monitor.execute("migrate", { uri: `unix:${socket.path}` });
    await atMoment(monitor, moment, delayMs);
    socket.cut();
    const end = await monitor.next(({ event, data }) => {
      return event === "MIGRATION" && ["completed", "failed"].includes((data as { readonly status: string }).status);
    });
    if ((end.data as { readonly status: string }).status === "completed") await monitor.execute("quit");
    await hosts.ask(target, { do: "guest-move", action: "abandon", guest: "guest1" });
    monitor.disconnect();
    await expectOneGuest();
  });

  test("a source's stock QEMU that is killed leaves a guest that is whole at the target, or none", async () => {
    await movedWhile(moment, delayMs, () => killStockQemu(at, delayMs));
    await expectAtTargetOrNowhere();
  });

  test("a source's host that is killed leaves a guest that is whole at the target, or none", async () => {
    const source = at;
    await movedWhile(moment, delayMs, () => process.kill(hosts.pids.get(source)!, "SIGKILL"));
    await until(() => !isRunning(hosts.pids.get(source)!) && processesOf(emulator, folderOf(source)).length === 0);
    await hosts.upAgain(source);
    await expectAtTargetOrNowhere();
  });
});

async function expectAtTargetOrNowhere(): Promise<void> {
  const [source, target] = [at, otherThan(at)];
  // A target that has all of it and hears nothing more asks, and then runs.
  await until(async () => (await hosts.guests(target)).every(({ isRunning }) => isRunning));
  await expectNothingOf(source);
  if (await runningAt(target)) return expectOneGuest();
  await expectNothingOf(target);
  await restartAfter("lost with the source");
}

const countEnd = (end: string): void => void ends.set(end, (ends.get(end) ?? 0) + 1);

function restartAfter(end: string): Promise<void> {
  countEnd(end);
  return restart();
}

/** The guest was lost with whoever had it: another one is booted. */
async function restart(): Promise<void> {
  await hosts.down("here");
  await hosts.upAgain("here", [guest]);
  at = "here";
  expect(await hosts.inGuest(at, "lszcrypt | grep -c online")).toBe("4\n");
}
