import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { installTools } from "../src/host/tools/install-tools.ts";
import { toolsPlaces } from "../src/host/tools/tools-folder.ts";
import { copyTree, memoryFolder } from "./copy-tree.ts";
import { type Measurement, median } from "./measurement.ts";
import { bringUp } from "./running-host.ts";

/** A real tool on a large host: `lszcrypt -V` through the mount against the same tree as plain files, the same program under the same emulator. */
const pinned = ["taskset", "-c", "0"] as const;
const adapters = 64;
const domains = 85;

export function measureTools(folder: string): Measurement[] {
  const tools = toolsPlaces();
  installTools(undefined, console.error, tools);
  const copy = memoryFolder(folder);
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
