import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Host } from "../src/host/host.ts";
import { adapterProfile } from "../src/machine/adapter-profile.ts";
import { fullMachine } from "../src/machine/lpar.ts";
import { type Measurement, median } from "./measurement.ts";
import { bringUp, type RunningHost } from "./running-host.ts";

/**
 * A host as a whole, all of it on one processor: how long it takes to come up, what it weighs, what a change costs on a full
 * machine, and how the tree compares with plain files.
 */
const pinned = ["taskset", "-c", "0"] as const;
const uuid = (index: number): string => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
const mdevPath = (index: number): string => `/sys/devices/vfio_ap/matrix/${uuid(index)}`;

export function measureHosts(folder: string, client: string): Measurement[] {
  return [
    ...startUp(folder),
    ...assignInProcess(),
    ...assignThroughMount(folder, client),
    ...readEverything(folder, client),
    ...takeAllAdapters(folder, client),
  ];
}

function withHost<T>(host: RunningHost, use: (host: RunningHost) => T): T {
  try {
    return use(host);
  } finally {
    host.down();
  }
}

function startUp(folder: string): Measurement[] {
  const small = withHost(bringUp(folder, "small", { adapters: 16, domains: 85 }, pinned), ({ upMs }) => upMs);
  const large = withHost(bringUp(folder, "large", { adapters: 256, domains: 256 }, pinned), (host) => {
    const bound = readFileSync(join(host.sys, "bus/ap/bindings"), "utf8").trim();
    if (bound !== "65536/65536 (complete)") throw new Error(`not scanned: ${bound}`);
    return { upMs: host.upMs, bytes: host.memoryBytes() };
  });
  return [
    { name: "up to mounted and scanned, 16 x 85", value: small, unit: "ms", limit: 1000 },
    { name: "up to mounted and scanned, 256 x 256", value: large.upMs, unit: "ms", limit: 6000 },
    { name: "all processes of a host, 256 x 256", value: large.bytes / 1e6, unit: "MB", limit: 500 },
  ];
}

/** 65,536 queues bound to vfio_ap, 255 mediated devices with an adapter and all domains each, one more that changes. */
function assignInProcess(): Measurement[] {
  const host = new Host({ name: "bench", machine: fullMachine, kernel: "7.2", commandLine: "ap.apmask=0x0" });
  for (let id = 0; id < 256; id++) {
    host.machine.addAdapter(id, adapterProfile(13, "cca"));
    host.machine.setUsageDomain(id, true);
  }
  host.linux.boot();
  host.settle();
  host.finish(host.linux.modprobe("vfio_ap"));
  const all = `0x${"f".repeat(64)}`;
  for (let index = 0; index < 256; index++) {
    host.writeNow("/sys/devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough/create", uuid(index));
    if (index < 255) host.writeNow(`${mdevPath(index)}/ap_config`, `${adapterBit(index)},${all},0x0`);
    else host.writeNow(`${mdevPath(index)}/ap_config`, `0x0,${all},0x0`);
  }
  const times = Array.from({ length: 500 }, () => {
    const start = performance.now();
    host.writeNow(`${mdevPath(255)}/assign_adapter`, "255");
    const took = performance.now() - start;
    host.writeNow(`${mdevPath(255)}/unassign_adapter`, "255");
    return took;
  });
  return [{ name: "assign_adapter in process, 65,536 queues, 255 other devices", value: median(times), unit: "ms", limit: 1 }];
}

const adapterBit = (id: number): string => `0x${"0".repeat(id >> 2)}${(8 >> (id & 3)).toString(16)}`;

function assignThroughMount(folder: string, client: string): Measurement[] {
  const domains = Array.from({ length: 256 }, (_, id) => id).join(", ");
  const mdevs = Array.from({ length: 256 }, (_, id) => `  ${uuid(id)}: { adapters: [${id < 255 ? id : ""}], domains: [${domains}] }`).join(
    "\n",
  );
  const more = `cmdline: ap.apmask=0x0\nmodules: [vfio_ap]\nmdevs:\n${mdevs}\n`;
  return withHost(bringUp(folder, "assign", { adapters: 256, domains: 256, more }, pinned), (host) => {
    for (const card of readdirSync(join(host.sys, "devices/ap")).filter((name) => name.startsWith("card"))) {
      for (const queue of readdirSync(join(host.sys, "devices/ap", card)).filter((name) => name.includes("."))) {
        readFileSync(join(host.sys, "devices/ap", card, queue, "status"));
      }
    }
    const path = join(host.sys, mdevPath(255).slice("/sys/".length));
    const words = ["write", "500", `${path}/assign_adapter`, "255", `${path}/unassign_adapter`, "255"];
    const { median_us: us, errors } = runClient(client, words) as { median_us: number; errors: number };
    if (errors > 0) throw new Error(`${errors} writes failed`);
    return [{ name: "assign_adapter through the mount, every status read before", value: us / 1000, unit: "ms", limit: 2 }];
  });
}

function readEverything(folder: string, client: string): Measurement[] {
  return withHost(bringUp(folder, "read", { adapters: 64, domains: 85 }, pinned), (host) => {
    const tree = join(host.sys, "devices/ap");
    const copy = join(folder, "copy");
    const pass = (path: string, prefix: readonly string[] = pinned): number =>
      (runClient(client, ["read", path], prefix) as { us: number }).us;
    const first = pass(tree);
    const second = pass(tree);
    const unpinned = pass(tree, []);
    copyFiles(tree, copy);
    pass(copy);
    const reference = median([pass(copy), pass(copy), pass(copy)]);
    return [
      { name: "every attribute of 64 x 85 queues, first pass, against tmpfs", value: first / reference, unit: "times", limit: 16 },
      { name: "every attribute of 64 x 85 queues, second pass, against tmpfs", value: second / reference, unit: "times", limit: 7 },
      { name: "every attribute of 64 x 85 queues, unpinned, against tmpfs", value: unpinned / reference, unit: "times" },
    ];
  });
}

function takeAllAdapters(folder: string, client: string): Measurement[] {
  return withHost(bringUp(folder, "masks", { adapters: 256, domains: 85, more: "modules: [vfio_ap]\n" }, pinned), (host) => {
    runClient(client, ["read", join(host.sys, "devices/ap")]);
    const watched = join(host.sys, "devices/ap/card00/00.0000/config");
    const result = runClient(client, ["watch", watched, join(host.sys, "bus/ap/apmask"), "-0-255\n"]) as Record<string, number>;
    if (result.error !== 0) throw new Error(`the write failed with ${result.error}`);
    return [
      { name: "echo -0-255 > apmask, 256 x 85 queues, all read before", value: (result.write_us ?? 0) / 1000, unit: "ms", limit: 5000 },
      { name: "longest read of another file meanwhile", value: (result.longest_read_us ?? 0) / 1000, unit: "ms", limit: 100 },
    ];
  });
}

const runClient = (client: string, words: readonly string[], prefix: readonly string[] = pinned): unknown => {
  const [program = "", ...rest] = [...prefix, client, ...words];
  return JSON.parse(execFileSync(program, rest, { encoding: "utf8" }));
};

/** Folders and readable files; links are left out, the client does not follow them. */
function copyFiles(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) copyFiles(path, join(to, entry.name));
    else if (entry.isFile() && (statSync(path).mode & 0o444) !== 0) writeFileSync(join(to, entry.name), readFileSync(path));
  }
}
