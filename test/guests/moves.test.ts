import { PassThrough } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { OutgoingMachine } from "../../src/qemu/guest-port.ts";
import { QemuError } from "../../src/qemu/qemu-error.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { MovingGuest, startCardHost } from "./moving-guest.ts";
import { cachedGuestImage, guestStartMs, whyNoGuests } from "./stock-guest.ts";

/** One real guest that signs with its card and counts, and moves between two hosts of this process: the port's part of a migration alone. */
const reason = whyNoGuests();
const startLoop = `cd /tmp; openssl genrsa -out k 1024 2>/dev/null; echo text >m; openssl rsa -in k -pubout -out p 2>/dev/null; echo 0 >count
cat >loop <<'END'
echo $$ >pid; n=0
while openssl dgst -sha256 -engine ibmca -sign k -out s m 2>/dev/null && openssl dgst -sha256 -verify p -signature s m >/dev/null; do
	n=$((n+1)); echo $n >count.new; mv count.new count
done
END
setsid sh loop </dev/null >/dev/null 2>&1 &
`;

let hosts: Runtime[];
let guest: MovingGuest;
let targets: MovingGuest[] = [];
const image = () => cachedGuestImage("debian-12");

beforeAll(async () => {
  if (reason !== undefined) return;
  hosts = [await startCardHost("one"), await startCardHost("two")];
  guest = await MovingGuest.boot(hosts[0]!, image());
  expect(await guest.text(startLoop)).toBe("");
}, guestStartMs);
afterAll(async () => {
  await guest?.close();
  for (const host of hosts ?? []) await host.stop();
});
afterEach(closeTargets);
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

/** What must be the same wherever it runs. */
const identity = "cat /proc/sys/kernel/random/boot_id; grep ^facilities /proc/cpuinfo; lszcrypt | cut -c1-40";
/** Seconds since it booted, how often it signed, how often it asked its card. */
const state = "echo $(cut -d' ' -f1 /proc/uptime) $(cat /tmp/count /sys/devices/ap/card05/request_count)";
/** Until its loop did one whole round more, or ended. */
const nextRound = "n=$(cat /tmp/count); while [ $(cat /tmp/count) -lt $((n+2)) ] && [ -d /proc/$(cat /tmp/pid) ]; do sleep 0.1; done";

/** What its loop does grows, by its card, and each number is at least what it was before. */
async function expectGrowth(before: readonly number[] = [0, 0, 0]): Promise<void> {
  const [start = [], end = []] = numbersOf(await guest.text(`${state}; ${nextRound}; ${state}`));
  for (const [index, least] of before.entries()) {
    expect(start[index]).toBeGreaterThanOrEqual(least);
    expect(end[index]).toBeGreaterThan(start[index]!);
  }
}

const numbersOf = (text: string): number[][] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));

/** Of the host where the guest is not. */
async function awaited(): Promise<MovingGuest> {
  const target = await MovingGuest.awaited(hosts[1 - hosts.indexOf(guest.host)]!, image());
  targets.push(target);
  return target;
}

/** Its memory is on the way, and it stands. */
async function send(target: MovingGuest): Promise<{ readonly sending: OutgoingMachine; readonly received: Promise<void> }> {
  const channel = new PassThrough();
  const received = target.port.machine.receive(channel);
  const sending = await guest.port.machine.send(channel);
  await guest.port.pause();
  return { sending, received };
}

async function closeTargets(): Promise<void> {
  for (const target of targets) if (target !== guest) await target.close();
  targets = [];
}

test("a guest moves to another host and back, twice, and goes on where it was", async () => {
  const before = await guest.text(identity);
  expect(before).toMatch(/05\.0004 +CEX7A +Accelerator +online/);
  for (let hop = 0; hop < 4; hop++) {
    const [left] = numbersOf(await guest.text(state));
    const target = await awaited();
    const { sending, received } = await send(target);
    await Promise.all([sending.complete(), received]);
    expect(await guest.port.machine.progress()).toMatchObject({ total: 256 * 2 ** 20, remaining: 0 });
    await guest.close();
    guest = target;
    await guest.port.run();
    await expectGrowth(left);
    expect([await guest.text(identity), guest.reports, guest.stockEnd]).toEqual([before, [], undefined]);
  }
});

test("a guest whose next QEMU is killed stays where it is", async () => {
  const target = await awaited();
  const { sending, received } = await send(target);
  const refused = expect(received).rejects.toBeInstanceOf(QemuError);
  process.kill(target.pid, "SIGKILL");
  await refused;
  await expect(sending.complete()).rejects.toBeInstanceOf(QemuError);
  await guest.port.run();
  await expectGrowth();
});

test("a guest that is on its way is given back", async () => {
  const { sending, received } = await send(await awaited());
  const refused = expect(received).rejects.toThrow("the way from the other host ended");
  await sending.cancel();
  await refused;
  await guest.port.run();
  await expectGrowth();
});

test("a guest that came whole to another host is given back", async () => {
  const { sending, received } = await send(await awaited());
  await Promise.all([sending.complete(), received]);
  await sending.cancel();
  await closeTargets();
  await guest.port.run();
  await expectGrowth();
});

test("a guest whose QEMU is killed on its way arrives nowhere", async () => {
  const { sending, received } = await send(await awaited());
  const refused = expect(received).rejects.toBeInstanceOf(QemuError);
  process.kill(guest.pid, "SIGKILL");
  await expect(sending.complete()).rejects.toBeInstanceOf(QemuError);
  await refused;
  await expect(guest.port.machine.send(new PassThrough())).rejects.toBeInstanceOf(QemuError);
});
