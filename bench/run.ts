import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { installDebianPackages } from "../scripts/install.mjs";
import { measureAdapters } from "./adapters.ts";
import { benchFolder, compile } from "./compile.ts";
import { measureFuse } from "./fuse.ts";
import { measureGuests } from "./guests.ts";
import { measureHosts } from "./host.ts";
import type { Measurement } from "./measurement.ts";
import { measureNodeDevices } from "./node-devices.ts";
import { measureRealGuests } from "./real-guests.ts";
import { measureTools } from "./tools.ts";

/** Measures, compares in this one run, prints a table and writes results.json beside this file. Exit 1 when a limit is not kept. */
const packages = {
  gcc: "/usr/bin/gcc",
  openssl: "/usr/bin/openssl",
  "libfuse3-dev": "/usr/include/fuse3/fuse.h",
  "pkg-config": "/usr/bin/pkg-config",
  "util-linux": "/usr/bin/taskset",
  iproute2: "/usr/sbin/ip",
  "libvirt-daemon-system": "/usr/sbin/libvirtd",
  "libvirt-clients": "/usr/bin/virsh",
  mdevctl: "/usr/bin/mdevctl",
  "qemu-system-misc": "/usr/bin/qemu-system-s390x",
  "xz-utils": "/usr/bin/xz",
};
const missing = installDebianPackages(packages);
if (missing.length > 0) throw new Error(`needed and not installed: ${missing.join(", ")}`);
const folder = benchFolder();
mkdirSync(folder, { recursive: true });
try {
  const client = compile(folder, "tree-client.c", "-pthread");
  const measurements = [
    ...(await measureFuse(folder)),
    ...measureHosts(folder, client),
    ...(await measureGuests(folder, client)),
    ...measureTools(folder),
    ...measureNodeDevices(folder),
    ...(await measureAdapters()),
    ...(await measureRealGuests(folder)),
  ];
  for (const measurement of measurements) console.log(line(measurement));
  const machine = {
    processor: cpus()[0]?.model ?? "",
    processors: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const rounded = measurements.map((measurement) => ({ ...measurement, value: Number(measurement.value.toPrecision(4)) }));
  writeFileSync(join(import.meta.dirname, "results.json"), `${JSON.stringify({ machine, measurements: rounded }, null, 2)}\n`);
  process.exitCode = measurements.some(isMissed) ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function isMissed({ value, limit, atLeast }: Measurement): boolean {
  return (limit !== undefined && value > limit) || (atLeast !== undefined && value < atLeast);
}

function line(measurement: Measurement): string {
  const { name, value, unit } = measurement;
  return `${name.padEnd(72)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(5)} ${verdict(measurement)}`;
}

function verdict(measurement: Measurement): string {
  const { unit, limit, atLeast } = measurement;
  if (limit !== undefined) return `${isMissed(measurement) ? "OVER" : "within"} ${limit} ${unit}`;
  return atLeast === undefined ? "reported" : `${isMissed(measurement) ? "BELOW" : "above"} ${atLeast} ${unit}`;
}
