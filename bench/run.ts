import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { installDebianPackages } from "../scripts/install.mjs";
import { benchFolder, compile } from "./compile.ts";
import { measureFuse } from "./fuse.ts";
import { measureGuests } from "./guests.ts";
import { measureHosts } from "./host.ts";
import type { Measurement } from "./measurement.ts";
import { measureNodeDevices } from "./node-devices.ts";
import { measureTools } from "./tools.ts";

/** Measures, compares in this one run, prints a table and writes results.json beside this file. Exit 1 when a limit is not kept. */
const packages = {
  gcc: "/usr/bin/gcc",
  "libfuse3-dev": "/usr/include/fuse3/fuse.h",
  "pkg-config": "/usr/bin/pkg-config",
  "util-linux": "/usr/bin/taskset",
  iproute2: "/usr/sbin/ip",
  "libvirt-daemon-system": "/usr/sbin/libvirtd",
  "libvirt-clients": "/usr/bin/virsh",
  mdevctl: "/usr/bin/mdevctl",
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
  process.exitCode = measurements.some(isOver) ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function isOver({ value, limit }: Measurement): boolean {
  return limit !== undefined && value > limit;
}

function line(measurement: Measurement): string {
  const { name, value, unit, limit } = measurement;
  const verdict = limit === undefined ? "reported" : `${isOver(measurement) ? "OVER" : "within"} ${limit} ${unit}`;
  return `${name.padEnd(72)} ${value.toPrecision(4).padStart(10)} ${unit.padEnd(5)} ${verdict}`;
}
