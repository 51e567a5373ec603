import type { MachineType } from "../objects/machine-types.ts";
import { QemuError } from "../qemu-error.ts";
import { keyValues } from "./key-values.ts";

const keys = ["cpus", "maxcpus", "drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"];

/** Reads -smp for a machine. QemuError. */
export function smpOption(text: string, machine: MachineType): { readonly cpus: number; readonly maxCpus: number } {
  const numbers = new Map<string, number>();
  for (const [key, value] of keyValues(text, "cpus").values) {
    if (!keys.includes(key)) throw new QemuError(`Parameter 'smp.${key}' is unexpected`);
    if (!/^\d+$/.test(value)) throw new QemuError(`Parameter 'smp.${key}' expects integer`);
    if (Number(value) === 0) throw new QemuError("Invalid CPU topology: CPU topology parameters must be greater than zero");
    numbers.set(key, Number(value));
  }
  const parts = ["drawers", "books", "sockets", "cores", "threads"].flatMap((key) => numbers.get(key) ?? []);
  const product = parts.reduce((total, count) => total * count, 1);
  const cpus = numbers.get("cpus") ?? numbers.get("maxcpus") ?? product;
  const maxCpus = numbers.get("maxcpus") ?? Math.max(cpus, product);
  if (maxCpus < cpus) {
    throw new QemuError(
      `Invalid CPU topology: maxcpus must be equal to or greater than smp: sockets (${maxCpus}) * cores (1) * threads (1) == maxcpus (${maxCpus}) < smp_cpus (${cpus})`,
    );
  }
  if (maxCpus > machine.maxCpus) {
    throw new QemuError(`Invalid SMP CPUs ${maxCpus}. The max CPUs supported by machine '${machine.name}' is ${machine.maxCpus}`);
  }
  return { cpus, maxCpus };
}
