import type { CommandLine } from "../command-line/command-line.ts";
import type { HostOffer } from "../guest-port.ts";
import { QemuError } from "../qemu-error.ts";
import { type CpuModel, checkRunnable, modelWarnings } from "./cpu-model.ts";
import { cpuOption } from "./cpu-option.ts";

/** In a -cpu option. */
const asksForInterrupts = /,(\+apqi|apqi(=on)?)(,|$)/;

/** The processor that -cpu and -machine choose: an empty machine has a processor only if -cpu asks for one. QemuError. */
export function chosenCpu(commandLine: CommandLine, offer: HostOffer, report: (line: string) => void): CpuModel | undefined {
  const { cpu, cpus, machine, accelerator, stock } = commandLine;
  if (cpu === undefined && machine.type.isEmpty) return undefined;
  if (stock && cpu !== undefined && asksForInterrupts.test(cpu)) {
    report("warning: AP interrupts (apqi) are off: a stock QEMU takes none for its guest, which polls instead");
  }
  const model = cpuOption(cpu ?? (accelerator === "kvm" ? "host" : "qemu"), offer);
  if (model.name === "host" && accelerator !== "kvm") throw new QemuError("CPU definition requires KVM");
  // Every processor is realized by itself, and QEMU warns for each.
  for (const warning of modelWarnings(model)) for (let number = 0; number < cpus; number++) report(`warning: ${warning}`);
  checkRunnable(model, offer);
  // The gdb stub cannot interrupt: nobody is told of a feature that the guest does not have.
  return stock ? { ...model, features: new Set([...model.features].filter((name) => name !== "apqi")) } : model;
}
