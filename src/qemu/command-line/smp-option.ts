import type { MachineType } from "../objects/machine-types.ts";
import { QemuError } from "../qemu-error.ts";
import { keyValues } from "./key-values.ts";

const keys = ["cpus", "maxcpus", "drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"];

/** Reads -smp for a machine: what is not given follows from the rest, cores first. QemuError. */
export function smpOption(text: string, machine: MachineType): { readonly cpus: number; readonly maxCpus: number } {
  const given = numbers(text);
  const limit = given.get("maxcpus") ?? given.get("cpus");
  const parts = limit === undefined ? hierarchyOf(given) : filledHierarchy(given, limit);
  const product = Object.values(parts).reduce((total, count) => total * count, 1);
  const maxCpus = limit ?? product;
  const cpus = given.get("cpus") ?? maxCpus;
  const hierarchy = Object.entries(parts)
    .map(([name, count]) => `${name} (${count})`)
    .join(" * ");
  if (product !== maxCpus) {
    throw new QemuError(`Invalid CPU topology: product of the hierarchy must match maxcpus: ${hierarchy} != maxcpus (${maxCpus})`);
  }
  if (maxCpus < cpus) {
    const problem = "maxcpus must be equal to or greater than smp";
    throw new QemuError(`Invalid CPU topology: ${problem}: ${hierarchy} == maxcpus (${maxCpus}) < smp_cpus (${cpus})`);
  }
  if (maxCpus > machine.maxCpus) {
    throw new QemuError(`Invalid SMP CPUs ${maxCpus}. The max CPUs supported by machine '${machine.name}' is ${machine.maxCpus}`);
  }
  return { cpus, maxCpus };
}

interface Hierarchy {
  readonly drawers: number;
  readonly books: number;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

function hierarchyOf(given: ReadonlyMap<string, number>): Hierarchy {
  const count = (name: string): number => given.get(name) ?? 1;
  return { drawers: count("drawers"), books: count("books"), sockets: count("sockets"), cores: count("cores"), threads: count("threads") };
}

/** What remains of the limit goes to the cores, or to the sockets where the cores are given, or to the threads. */
function filledHierarchy(given: ReadonlyMap<string, number>, limit: number): Hierarchy {
  const parts = hierarchyOf(given);
  const missing = ["cores", "sockets", "threads"].find((name) => !given.has(name));
  if (missing === undefined) return parts;
  const others = Object.entries(parts).filter(([name]) => name !== missing);
  const product = others.reduce((total, [, count]) => total * count, 1);
  return { ...parts, [missing]: Math.floor(limit / product) };
}

function numbers(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [key, value] of keyValues(text, "cpus").values) {
    if (!keys.includes(key)) throw new QemuError(`Parameter 'smp.${key}' is unexpected`);
    if (!/^\d+$/.test(value)) throw new QemuError(`Parameter 'smp.${key}' expects integer`);
    if (Number(value) === 0) throw new QemuError("Invalid CPU topology: CPU topology parameters must be greater than zero");
    found.set(key, Number(value));
  }
  return found;
}
