import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeLibvirtFolder } from "../src/host/libvirt-folder.ts";
import { copyTree, memoryFolder } from "./copy-tree.ts";
import { type Measurement, median } from "./measurement.ts";
import { bringUp } from "./running-host.ts";

/** libvirt's node devices of a large host against the same daemon over a copy of the tree; what a daemon takes to get to know them is reported. */
const adapters = 16;
const domains = 85;
const rounds = 5;
/** Cards, their queues and the matrix device. */
const apDevices = adapters * (domains + 1) + 1;
/** What libvirt looks at. */
const parts = ["bus", "class", "devices/ap", "devices/vfio_ap", "devices/virtual", "kernel"] as const;

export function measureNodeDevices(folder: string): Measurement[] {
  const copy = memoryFolder(folder);
  const host = bringUp(folder, "nodes", { adapters, domains }, []);
  try {
    for (const part of parts) copyTree(join(host.sys, part), join(copy, part));
    const ofHost: Times[] = [];
    const ofCopy: Times[] = [];
    for (let round = 0; round < rounds; round++) {
      ofHost.push(timesOf(host.sys, folder));
      ofCopy.push(timesOf(copy, folder));
    }
    const lists = new Set([...ofHost, ...ofCopy].map(({ devices }) => devices));
    if (lists.size !== 1) throw new Error("virsh lists other devices on the host than on its copy");
    const medianOf = (times: Times[], what: "freshMs" | "againMs"): number => median(times.map((each) => each[what]));
    const name = `virsh nodedev-list, ${adapters} x ${domains}`;
    return [
      { name: `${name}, a fresh daemon over a copy`, value: medianOf(ofCopy, "freshMs"), unit: "ms" },
      {
        name: `${name}, a fresh daemon, against the copy`,
        value: medianOf(ofHost, "freshMs") / medianOf(ofCopy, "freshMs"),
        unit: "times",
      },
      {
        name: `${name}, again, against the copy`,
        value: medianOf(ofHost, "againMs") / medianOf(ofCopy, "againMs"),
        unit: "times",
        limit: 2,
      },
    ];
  } finally {
    host.down();
    rmSync(copy, { recursive: true });
  }
}

interface Times {
  readonly freshMs: number;
  readonly againMs: number;
  /** Those of AP, sorted; of others more may come while the daemon looks. */
  readonly devices: string;
}

function timesOf(sys: string, folder: string): Times {
  const work = mkdtempSync(join(folder, "libvirt-"));
  makeLibvirtFolder(work);
  mkdirSync(join(work, "run"));
  const script = join(import.meta.dirname, "node-devices.sh");
  const [fresh = 0, again = 0] = execFileSync("unshare", ["--mount", "--net", "sh", script, sys, work, String(apDevices)], {
    encoding: "utf8",
  })
    .split(" ")
    .map(Number);
  const [first, second] = ["first", "second"].map((list) => apDevicesIn(readFileSync(join(work, list), "utf8")));
  if (first === undefined || first !== second) throw new Error(`libvirt's second list of ${sys} is another one`);
  return { freshMs: fresh / 1e6, againMs: again / 1e6, devices: first };
}

const apDevicesIn = (list: string): string =>
  list
    .split("\n")
    .filter((line) => line.startsWith("ap_"))
    .sort()
    .join("\n");
