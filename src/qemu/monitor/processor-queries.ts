import { cpuTypeName } from "../cpu/cpu-model.ts";
import type { Emulator } from "../emulator.ts";
import { QemuError } from "../qemu-error.ts";

/** Processors and memory as both monitors show them. */

export function processors({ machine, runState }: Emulator) {
  return (
    [...machine.unattached.children.values()]
      .filter(({ values }) => values.has("core-id"))
      // The first one is started with the machine, the guest's Linux starts the others.
      .map((cpu, index) => ({
        "cpu-index": index,
        "qom-path": cpu.path,
        "thread-id": process.pid,
        props: propsOf(Number(cpu.values.get("core-id"))),
        target: "s390x",
        "cpu-state": runState === "running" || index === 0 ? "operating" : "stopped",
        dedicated: false,
        entitlement: "auto",
      }))
  );
}

export function hotpluggableCpus(emulator: Emulator) {
  const { cpu, maxCpus } = emulator.machine.options;
  if (!cpu) throw new QemuError("The feature 'query-hotpluggable-cpus' is not enabled");
  const present = new Map(processors(emulator).map((processor) => [processor.props["core-id"], processor["qom-path"]]));
  return Array.from({ length: maxCpus }, (_, core) => ({
    type: cpuTypeName(cpu.name),
    "vcpus-count": 1,
    props: propsOf(core),
    "qom-path": present.get(core),
  })).reverse();
}

export const memoryBytes = ({ machine }: Emulator): number => (machine.options.type.isEmpty ? 0 : machine.options.memoryBytes);

const propsOf = (core: number) => ({ "core-id": core, "socket-id": 0, "book-id": 0, "drawer-id": 0 });
