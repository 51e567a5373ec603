import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { installTools } from "../src/host/tools/install-tools.ts";
import { toolsPlaces } from "../src/host/tools/tools-folder.ts";
import type { Measurement } from "./measurement.ts";
import { bringUp } from "./running-host.ts";

/** A real tool on a large host: `lszcrypt -V` through the mount against the same tree as plain files, the same program under the same emulator. */
const pinned = ["taskset", "-c", "0"] as const;
/** A tmpfs everywhere. */
const memory = "/dev/shm";
const adapters = 64;
const domains = 85;
const median = (values: number[]): number => values.sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;

export function measureTools(folder: string): Measurement[] {
  const tools = toolsPlaces();
  installTools(undefined, console.error, tools);
  // A host cannot be there: its own /dev covers it.
  const copy = mkdtempSync(join(existsSync(memory) ? memory : folder, "adjunct-copy-"));
  const host = bringUp(folder, "tools", { adapters, domains }, pinned);
  try {
    const first = lszcryptMs(tools.current, host.sys, pinned);
    const second = lszcryptMs(tools.current, host.sys, pinned);
    const unpinned = lszcryptMs(tools.current, host.sys, []);
    for (const part of ["bus/ap", "devices/ap"]) copyTree(join(host.sys, part), join(copy, part));
    lszcryptMs(tools.current, copy, pinned);
    const reference = median(Array.from({ length: 3 }, () => lszcryptMs(tools.current, copy, pinned)));
    const name = `lszcrypt -V, ${adapters} x ${domains}`;
    return [
      { name: `${name}, plain files`, value: reference, unit: "ms" },
      { name: `${name}, first run, against plain files`, value: first / reference, unit: "times", limit: 5 },
      { name: `${name}, second run, against plain files`, value: second / reference, unit: "times", limit: 2.5 },
      { name: `${name}, unpinned, against plain files`, value: unpinned / reference, unit: "times" },
    ];
  } finally {
    host.down();
    rmSync(copy, { recursive: true });
  }
}

function lszcryptMs(root: string, sys: string, prefix: readonly string[]): number {
  const [program = "", ...words] = [...prefix, join(root, "qemu-s390x"), "-L", root, join(root, "usr/sbin/lszcrypt"), "-V"];
  const start = performance.now();
  const { stdout } = spawnSync(program, words, { env: { ...process.env, SYSFS_ROOT: sys }, encoding: "utf8", maxBuffer: 1 << 26 });
  const tookMs = performance.now() - start;
  const rows = stdout.split("\n").filter((line) => /^[0-9a-f]{2}(\.[0-9a-f]{4})? +CEX7C /.test(line)).length;
  if (rows !== adapters * (domains + 1)) throw new Error(`lszcrypt printed ${rows} rows`);
  return tookMs;
}

/** Folders, readable files and links, which are relative and stay so. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) copyTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if ((statSync(source).mode & 0o444) !== 0) writeFileSync(target, readFileSync(source));
  }
}
