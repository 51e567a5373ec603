import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Measurement } from "./measurement.ts";
import { bringUp } from "./running-host.ts";

/** Many guests on one host, and how soon a guest sees what its mediated device was given. */
const guestCount = 200;
const domainsEach = 16;
const uuid = (index: number): string => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;

export async function measureGuests(folder: string, client: string): Promise<Measurement[]> {
  return [...(await manyGuests(folder)), ...hotPlug(folder, client)];
}

/** Up with every guest, each gets an adapter with 16 domains by device_add over its own socket, down. */
async function manyGuests(folder: string): Promise<Measurement[]> {
  const domains = Array.from({ length: domainsEach }, (_, id) => id).join(", ");
  const mdevs = Array.from({ length: guestCount }, (_, id) => `  ${uuid(id)}: { adapters: [${id}], domains: [${domains}] }`);
  const guests = Array.from({ length: guestCount }, (_, id) => `  g${id}: {}`);
  const more = `cmdline: ap.apmask=0x0\nmdevs:\n${mdevs.join("\n")}\nguests:\n${guests.join("\n")}\n`;
  const host = bringUp(folder, "many", { adapters: 256, domains: 256, more }, []);
  let isUp = true;
  try {
    const start = performance.now();
    await Promise.all(Array.from({ length: guestCount }, (_, id) => plug(join(host.folder, "guests", `g${id}`, "qmp.sock"), uuid(id))));
    const plugMs = performance.now() - start;
    const status = JSON.parse(host.adjunct("guests", host.name, "--json")) as { apqns: string[] }[];
    const complete = status.filter(({ apqns }) => apqns.length === domainsEach).length;
    if (complete !== guestCount) throw new Error(`only ${complete} guests have their queues`);
    const bytes = host.memoryBytes();
    const end = performance.now();
    host.down();
    isUp = false;
    const downMs = performance.now() - end;
    const shape = `${guestCount} guests on 256 x 256`;
    return [
      { name: `${shape}: host and guests up, each hot plugged, all down`, value: host.upMs + plugMs + downMs, unit: "ms", limit: 10_000 },
      { name: `${shape}: all processes`, value: bytes / 1e6, unit: "MB", limit: 800 },
    ];
  } finally {
    if (isUp) host.down();
  }
}

/** Rejects with QEMU's words if it refuses. */
async function plug(socketPath: string, mdev: string): Promise<void> {
  const socket = connect(socketPath);
  const send = (command: object): void => void socket.write(`${JSON.stringify(command)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const message = JSON.parse(line) as { QMP?: unknown; id?: number; error?: { desc: string } };
      if (message.error) throw new Error(message.error.desc);
      const sysfsdev = `/sys/devices/vfio_ap/matrix/${mdev}`;
      if (message.QMP) send({ execute: "qmp_capabilities", id: 1 });
      if (message.id === 1) send({ execute: "device_add", arguments: { driver: "vfio-ap", id: "h0", sysfsdev }, id: 2 });
      if (message.id === 2) return;
    }
    throw new Error("the monitor closed the connection");
  } finally {
    socket.destroy();
  }
}

function hotPlug(folder: string, client: string): Measurement[] {
  const more = `apmask: "-5"\nmdevs:\n  ${uuid(1)}: { adapters: [5], domains: [4] }\nguests:\n  g1: { mdev: ${uuid(1)} }\n`;
  const host = bringUp(folder, "plug", { adapters: 6, domains: 8, more }, []);
  try {
    const mdev = join(host.sys, "devices/vfio_ap/matrix", uuid(1));
    const link = join(host.sys, "../guests/g1/bus/ap/devices/05.0006");
    const words = ["appear", "300", link, `${mdev}/assign_domain`, "6", `${mdev}/unassign_domain`, "6"];
    const { median_us: us, errors } = JSON.parse(execFileSync(client, words, { encoding: "utf8" })) as {
      median_us: number;
      errors: number;
    };
    if (errors > 0) throw new Error(`${errors} writes failed`);
    return [{ name: "from write(2) on the host's mount to the link in the guest's", value: us / 1000, unit: "ms", limit: 5 }];
  } finally {
    host.down();
  }
}
