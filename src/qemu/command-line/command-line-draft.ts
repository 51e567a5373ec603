import type { ChardevRecord } from "../chardev/chardev.ts";
import { defaultMemoryBytes, type GuestActions } from "../emulator-options.ts";
import { QemuError } from "../qemu-error.ts";
import { compatChardev } from "./chardev-option.ts";
import type { ChardevUse, CommandLine, DeviceUse, MonitorRecord, ObjectUse } from "./command-line.ts";
import { LocatedError } from "./located-error.ts";
import { type Accelerator, chosenAccelerator, type MachineChoice, machineChoice } from "./machine-option.ts";
import type { OptionUse } from "./option-words.ts";
import { smpOption } from "./smp-option.ts";

/** A command line while its options are read, one after the other. */
export class CommandLineDraft {
  help: string | undefined;
  name: string | undefined;
  uuid: string | undefined;
  cpu: string | undefined;
  smp = "1";
  memoryBytes = defaultMemoryBytes;
  isPaused = false;
  isDaemon = false;
  isNographic = false;
  hasDefaults = true;
  hasMonitorOption = false;
  hasSerialOption = false;
  isMigratableOnly = false;
  incoming: CommandLine["incoming"];
  pidFile: string | undefined;
  logFile: string | undefined;
  actions: GuestActions = { shutdown: "poweroff", reboot: "reset" };
  messages = { hasTimestamp: false, hasGuestName: false };
  readonly machine = new Map<string, string>();
  readonly accelerators: { name: string; place: string }[] = [];
  readonly devices: DeviceUse[] = [];
  readonly objects: ObjectUse[] = [];
  readonly chardevs: ChardevUse[] = [];
  readonly monitors: MonitorRecord[] = [];
  readonly ignored: string[] = [];
  readonly warnings: string[] = [];
  #serials = 0;
  #compatMonitors = 0;

  /** A monitor that brings its character device along, named compat_monitor0 and so on. */
  addCompatMonitor({ argument, text }: OptionUse, mode: MonitorRecord["mode"], isPretty = false): void {
    if (argument.startsWith("chardev:")) {
      this.monitors.push({ chardev: argument.slice("chardev:".length), mode, isPretty, place: text });
      return;
    }
    const id = `compat_monitor${this.#compatMonitors++}`;
    this.chardevs.push({ record: compat(id, argument, text, `parse error: ${argument}`), place: text });
    this.monitors.push({ chardev: id, mode, isPretty, place: text });
  }

  addSerial({ argument, text }: OptionUse): void {
    this.hasSerialOption = true;
    if (argument === "none") return;
    const failure = `could not connect serial device to character backend '${argument}'`;
    if (!argument.startsWith("chardev:")) {
      this.chardevs.push({ record: compat(`serial${this.#serials}`, argument, text, failure), place: text, failure });
    } else if (!this.chardevs.some(({ record }) => record.id === argument.slice("chardev:".length))) {
      throw new QemuError(failure);
    }
    this.#serials++;
  }

  complete(): Omit<CommandLine, "stock"> {
    // What would be on stdio by default: with -nodefaults, as libvirt has it, or both options given there is nothing.
    const usesStdio = this.hasDefaults && !(this.hasSerialOption && this.hasMonitorOption);
    if (this.isNographic && this.isDaemon && usesStdio) throw new QemuError("-nographic cannot be used with -daemonize");
    const machine = machineChoice(this.machine);
    const { cpus, maxCpus } = smpOption(this.smp, machine.type);
    this.#addDefaultMonitor();
    return {
      name: this.name,
      uuid: this.uuid,
      machine,
      accelerator: this.#accelerator(machine),
      cpu: this.cpu,
      cpus,
      maxCpus,
      memoryBytes: this.memoryBytes,
      devices: this.devices,
      objects: this.objects,
      chardevs: this.chardevs,
      monitors: this.monitors,
      isPaused: this.isPaused,
      isDaemon: this.isDaemon,
      pidFile: this.pidFile,
      logFile: this.logFile,
      actions: this.actions,
      messages: this.messages,
      isMigratableOnly: this.isMigratableOnly,
      incoming: this.incoming,
      ignored: this.ignored,
      warnings: this.warnings,
    };
  }

  #accelerator({ accelerators }: MachineChoice): Accelerator {
    const report = (line: string): number => this.warnings.push(line);
    if (this.accelerators.length === 0) return chosenAccelerator(accelerators, report);
    if (accelerators.length > 0) throw new QemuError('The -accel and "-machine accel=" options are incompatible');
    return chosenAccelerator(
      this.accelerators.map(({ name }) => name),
      report,
    );
  }

  /** Without a screen the monitor is on stdio; with one it would be in a window, which nobody sees here. */
  #addDefaultMonitor(): void {
    const isStdioTaken = this.chardevs.some(({ record }) => record.backend === "stdio");
    if (!this.hasDefaults || this.hasMonitorOption || !this.isNographic || isStdioTaken) return;
    const text = "-monitor mon:stdio";
    this.addCompatMonitor(
      { argument: "mon:stdio", text, record: { name: "monitor", takesArgument: true, isForTarget: true, isRead: true } },
      "readline",
    );
  }
}

function compat(id: string, argument: string, place: string, problem: string): ChardevRecord {
  let record: ChardevRecord | undefined;
  try {
    record = compatChardev(id, argument);
  } catch (error) {
    throw new LocatedError(place, problem, undefined, [`${place}: ${(error as Error).message}`]);
  }
  if (!record) throw new LocatedError(place, problem);
  return record;
}
