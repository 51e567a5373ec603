import { hostname, release } from "node:os";
import type { GenerationName } from "../../linux/generation.ts";
import { recordAdapters } from "./record-adapters.ts";
import { recordAttributes } from "./record-attributes.ts";
import { recordMdevs } from "./record-mdevs.ts";
import { bitsOf, type Recording } from "./recording.ts";
import { SysfsFolder } from "./sysfs-folder.ts";

export interface RecordOptions {
  /** Where /sys is. */
  readonly sysfs: string;
  /** What the recording calls the host; the machine's name without it. */
  readonly name?: string | undefined;
  readonly masksSecrets: boolean;
}

/** A /sys without an AP bus: no s390x, or no AP instructions. */
export class NothingToRecord extends Error {}

/** Reads what a /sys shows of AP. scripts/record-ap.sh does the same in the same order, for machines without Node. */
export function recordHost({ sysfs, name, masksSecrets }: RecordOptions): Recording {
  const sys = new SysfsFolder(sysfs);
  const bus = sys.folder("bus/ap");
  if (!bus.has("devices")) throw new NothingToRecord(`${sysfs}/bus/ap is missing: this Linux has no AP bus`);
  const kernel = generationOf(sys);
  const adapters = recordAdapters(sys, kernel);
  const usageMask = bus.line("ap_usage_domain_mask");
  const hasQci = usageMask?.startsWith("0x") === true;
  return {
    name: hostNameFrom(name ?? hostname()),
    release: release(),
    kernel,
    cmdline: commandLine(sys.folder("module/ap/parameters")),
    modules: sys.folder("bus").has("matrix") ? ["vfio_ap"] : [],
    facilities: facilitiesOf(bus, hasQci),
    maxAdapter: bus.number("ap_max_adapter_id"),
    maxDomain: bus.number("ap_max_domain_id"),
    adapters,
    usageDomains: hasQci ? bitsOf(usageMask) : domainsOfQueues(bus),
    controlDomains: hasQci ? bitsOf(bus.line("ap_control_domain_mask")) : [],
    apmask: bus.line("apmask"),
    aqmask: bus.line("aqmask"),
    attributes: recordAttributes(sys, masksSecrets),
    mdevs: recordMdevs(sys),
  };
}

/** Distributions port features back, so what is there counts, not the release. */
function generationOf(sys: SysfsFolder): GenerationName {
  const bus = sys.folder("bus/ap");
  const features = sys.folder("devices/vfio_ap/matrix").line("features")?.split(" ") ?? [];
  if (features.includes("migratable")) return "7.2-migration";
  if (bus.has("bindings_complete_count")) return "7.2";
  if (bus.has("features")) return "6.12";
  if (!bus.has("bindings")) return "4.20";
  const queues = sys.folder("bus/ap/drivers/vfio_ap");
  const queue = queues.names.find((name) => /^[0-9a-f]{2}\.[0-9a-f]{4}$/.test(name));
  return queue !== undefined && !queues.folder(queue).has("status") ? "6.0" : "6.1";
}

/** Parameters of the AP bus that are not what they are without a command line. */
function commandLine(parameters: SysfsFolder): string {
  const defaults = { domain: "-1", poll_thread: "0", apmask: "(null)", aqmask: "(null)", useirq: "1" };
  return Object.entries(defaults)
    .flatMap(([name, usual]) => {
      const value = parameters.line(name);
      return value === undefined || value === usual || value === "" ? [] : [`ap.${name}=${value}`];
    })
    .join(" ");
}

function facilitiesOf(bus: SysfsFolder, hasQci: boolean): string[] {
  const features = bus.line("features")?.split(" ");
  const hasApxa = features ? features.includes("APXA") : (bus.number("ap_max_domain_id") ?? 0) > 15;
  return [
    "ap",
    ...(hasQci ? ["qci"] : []),
    "apft",
    ...(bus.line("ap_interrupts") === "1" ? ["apqi"] : []),
    ...(hasApxa ? ["apxa"] : []),
    ...["QACT", "RC8A", "APSB"].filter((word) => features?.includes(word)).map((word) => word.toLowerCase()),
  ];
}

function domainsOfQueues(bus: SysfsFolder): number[] {
  const domains = bus.folder("devices").names.flatMap((name) => (name.includes(".") ? [Number.parseInt(name.slice(3), 16)] : []));
  return [...new Set(domains)].sort((left, right) => left - right);
}

/** Letters that a host's name cannot have become dashes. */
const hostNameFrom = (text: string): string => text.replaceAll(/[^a-zA-Z0-9_.-]/g, "-").slice(0, 32);
