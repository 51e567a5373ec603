import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { launcher, Sandbox } from "../cli/sandbox.ts";
import { cachedGuestImage, guestImagesFolder, guestStartMs, whyNoGuests } from "./stock-guest.ts";

/** Two real guests of one host, one with Debian 12's kernel, one with Debian 13's and two processors: what they see, and how it changes. */
const reason = whyNoGuests();
const [first, second] = ["62177883-f1bb-47f0-914d-32a22e3a8804", "9e3a2f6e-4c1f-4d34-8f0b-5a6f0c7f1d02"];
const matrix = "/sys/devices/vfio_ap/matrix";
const cpu = "host,ap=on,apqci=on,apft=on";
const configuration = `name: life
machine:
  model: z16
  adapters:
    5: { type: CEX7C }
    6: { type: CEX7A }
    7: { type: CEX7P }
  max-domain: 255
  usage-domains: [4, 0x47, 0xab]
apmask: "-5,-6,-7"
mdevs:
  ${first}: { adapters: [5, 6], domains: [4, 0xab] }
  ${second}: { adapters: [7], domains: [0x47] }
guests:
  guest1: { cpu: "${cpu}", mdev: ${first}, linux: debian-12 }
  guest2: { cpu: "${cpu}", mdev: ${second}, linux: debian-13, cpus: 2 }
`;

let sandbox: Sandbox;
beforeAll(async () => {
  if (reason !== undefined) return;
  for (const image of ["debian-12", "debian-13"] as const) cachedGuestImage(image);
  sandbox = new Sandbox();
  sandbox.environment.ADJUNCT_GUEST_IMAGES_DIR = guestImagesFolder;
  await sandbox.up(sandbox.file("life.yaml", configuration), "--no-mount");
  await Promise.all(["guest1", "guest2"].map((guest) => inGuest(guest, "true")));
}, 2 * guestStartMs);
afterAll(() => sandbox?.close());
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

async function inGuest(guest: string, script: string): Promise<string> {
  const { stdout, stderr, status } = await sandbox.run(process.execPath, [
    launcher,
    "exec",
    "life",
    "--guest",
    guest,
    "--",
    "sh",
    "-c",
    script,
  ]);
  return `${stderr}${stdout}${status === 0 ? "" : `status ${status}\n`}`;
}

async function host(...words: string[]): Promise<string> {
  const { stdout, stderr, status } = await sandbox.adjunct(...words);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const write = (mdev: string, file: string, text: string): Promise<string> => host("write", "life", `${matrix}/${mdev}/${file}`, text);

/** Names and types, of the cards and queues that the guest's own lszcrypt lists after a scan. */
async function cards(guest: string): Promise<string[]> {
  const listed = await inGuest(guest, "echo 1 >/sys/bus/ap/scans; lszcrypt -V");
  return listed.split("\n").flatMap((line) => {
    const [, name, type, mode] = /^([0-9a-f]{2}(?:\.[0-9a-f]{4})?) +(CEX\S+) +(\S+)/.exec(line) ?? [];
    return name === undefined ? [] : [`${name} ${type} ${mode}`];
  });
}

const queues = (lines: readonly string[]): string[] => lines.map((line) => line.split(" ")[0]!).filter((name) => name.includes("."));

async function qmp(guest: string, execute: string, parameters: object = {}): Promise<unknown> {
  const path = JSON.parse(await host("guests", "life", "--json")).find(({ name }: { name: string }) => name === guest).monitors[0];
  const socket = connect(path);
  const send = (message: object): void => void socket.write(`${JSON.stringify(message)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const message = JSON.parse(line);
      if (message.QMP) send({ execute: "qmp_capabilities", id: 1 });
      if (message.id === 1) send({ execute, arguments: parameters, id: 2 });
      if (message.id === 2) return message.error ?? message.return;
    }
    throw new Error("the monitor closed the connection");
  } finally {
    socket.destroy();
  }
}

test("the real lszcrypt of each guest lists its guest_matrix and nothing else", async () => {
  expect(await cards("guest1")).toEqual([
    "05 CEX7C CCA-Coproc",
    "05.0004 CEX7C CCA-Coproc",
    "05.00ab CEX7C CCA-Coproc",
    "06 CEX7A Accelerator",
    "06.0004 CEX7A Accelerator",
    "06.00ab CEX7A Accelerator",
  ]);
  expect(await cards("guest2")).toEqual(["07 CEX7P EP11-Coproc", "07.0047 CEX7P EP11-Coproc"]);
  expect(`${queues(await cards("guest1")).join("\n")}\n`).toBe(await host("read", "life", `${matrix}/${first}/guest_matrix`));
  expect([await inGuest("guest1", "uname -r"), await inGuest("guest2", "uname -r; nproc")]).toEqual([
    expect.stringMatching(/^6\.1\./),
    expect.stringMatching(/^6\.12\..*\n2\n$/),
  ]);
});

test("two processors that both use AP after a rest, when no breakpoint stands, find it", async () => {
  const queue = "/sys/bus/ap/devices/07.0047";
  const round = `sleep 0.4; echo 1 >/sys/bus/ap/scans & cat ${queue}/mkvps >/dev/null & cat ${queue}/op_modes >/dev/null & wait`;
  const done = await inGuest(
    "guest2",
    `for round in 1 2 3 4 5 6 7 8; do ${round}; done; grep -c . ${queue}/mkvps; dmesg | grep -c "illegal operation"`,
  );
  expect(done).toBe("2\n0\nstatus 1\n");
});

test("openssl's engine ibmca signs by the accelerator", async () => {
  const count = "cat /sys/devices/ap/card06/request_count";
  const before = Number(await inGuest("guest1", count));
  const signed =
    "cd /tmp; openssl genrsa -out k 1024 2>/dev/null; echo text >m; openssl dgst -sha256 -engine ibmca -sign k -out s m 2>/dev/null; " +
    "openssl rsa -in k -pubout -out p 2>/dev/null; openssl dgst -sha256 -verify p -signature s m";
  expect(await inGuest("guest1", signed)).toBe("Verified OK\n");
  expect(Number(await inGuest("guest1", count))).toBeGreaterThan(before);
});

describe("under the running guest", () => {
  test("unassigning an adapter takes it away, assigning brings it back", async () => {
    const all = await cards("guest1");
    await write(first, "unassign_adapter", "6");
    expect(queues(await cards("guest1"))).toEqual(["05.0004", "05.00ab"]);
    await write(first, "assign_adapter", "6");
    expect(await cards("guest1")).toEqual(all);
  });

  test("a deconfigured and a checkstopped card is one to it, too", async () => {
    await host("hw", "life", "card", "deconfigure", "6");
    expect(await inGuest("guest1", "echo 1 >/sys/bus/ap/scans; cat /sys/devices/ap/card06/config")).toBe("0\n");
    await host("hw", "life", "card", "configure", "6");
    await host("hw", "life", "card", "checkstop", "6", "on");
    expect(await inGuest("guest1", "echo 1 >/sys/bus/ap/scans; cat /sys/devices/ap/card06/chkstop")).toBe("1\n");
    await host("hw", "life", "card", "checkstop", "6", "off");
  });

  test("remove of its mediated device unplugs it; another one can be plugged", async () => {
    await write(second, "remove", "1");
    expect(await cards("guest2")).toEqual([]);
    expect(await qmp("guest2", "qom-list", { path: "/machine/peripheral" })).not.toContainEqual(
      expect.objectContaining({ name: "hostdev0" }),
    );
    await host("write", "life", `${matrix}/mdev_supported_types/vfio_ap-passthrough/create`, second);
    await write(second, "assign_adapter", "7");
    await write(second, "assign_domain", "0x47");
    expect(await qmp("guest2", "device_add", { driver: "vfio-ap", id: "again", sysfsdev: `${matrix}/${second}` })).toEqual({});
    expect(queues(await cards("guest2"))).toEqual(["07.0047"]);
  });

  test("its monitor answers for itself and for the stock QEMU", async () => {
    expect(await qmp("guest1", "query-status")).toEqual({ status: "running", running: true });
    expect(await qmp("guest1", "x-query-roms")).toMatchObject({ "human-readable-text": expect.any(String) });
    expect(await qmp("guest1", "device_add", { driver: "virtio-rng-ccw", id: "r0" })).toEqual({});
    expect(await qmp("guest1", "human-monitor-command", { "command-line": "info registers" })).toMatch(/^\s*CPU#0|PSW=/);
    expect(await qmp("guest1", "device_add", { driver: "no-such" })).toMatchObject({ class: "GenericError" });
  });

  test("stop and cont hold it and let it go on", async () => {
    await qmp("guest1", "stop");
    const held = sandbox.run(process.execPath, [launcher, "exec", "life", "--guest", "guest1", "--", "echo", "on"]);
    expect(await qmp("guest1", "query-status")).toEqual({ status: "paused", running: false });
    await qmp("guest1", "cont");
    expect((await held).stdout).toBe("on\n");
  });
});

test("a reset boots it again, with its cards", async () => {
  await inGuest("guest1", "touch /tmp/before");
  await qmp("guest1", "system_reset");
  await vi.waitFor(async () => expect(await inGuest("guest1", "ls /tmp")).toBe(""), { timeout: guestStartMs, interval: 500 });
  expect(queues(await cards("guest1"))).toEqual(["05.0004", "05.00ab", "06.0004", "06.00ab"]);
});

test("a QEMU that is killed gives its queues back, and the other guest goes on", async () => {
  process.kill(stockProcess("guest2"), "SIGKILL");
  await vi.waitFor(async () => expect(JSON.parse(await host("guests", "life", "--json"))).toHaveLength(1), { timeout: 20_000 });
  expect(await host("read", "life", `${matrix}/${second}/matrix`)).toBe("07.0047\n");
  await write(second, "remove", "1");
  expect(queues(await cards("guest1"))).toHaveLength(4);
});

test("poweroff ends it and frees its queues", async () => {
  await inGuest("guest1", "poweroff -f");
  await vi.waitFor(async () => expect(JSON.parse(await host("guests", "life", "--json"))).toEqual([]), { timeout: 20_000 });
  await write(first, "remove", "1");
});

/** The process of the stock QEMU that a guest's command line names. */
function stockProcess(guest: string): number {
  const found = readdirSync("/proc").find((pid) => {
    try {
      const words = readFileSync(join("/proc", pid, "cmdline"), "utf8").split("\0");
      return (
        words.includes("-gdb") &&
        words.includes(`guest=${guest}`) &&
        words.some((word) => word.includes(sandbox.environment.ADJUNCT_RUN_DIR!))
      );
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no QEMU of ${guest}`);
  return Number(found);
}
