import { constants } from "node:os";
import { absentPort, noOffer } from "./absent-port.ts";
import type { Chardev, ChardevRecord, ChardevSurroundings } from "./chardev/chardev.ts";
import { chardevBackendNames, createChardev } from "./chardev/create-chardev.ts";
import { type CommandLine, type HelpText, readCommandLine } from "./command-line/command-line.ts";
import { atPlace, LaterError, LocatedError, located } from "./command-line/located-error.ts";
import { structuredOption } from "./command-line/structured-option.ts";
import { chosenCpu } from "./cpu/chosen-cpu.ts";
import { Emulator } from "./emulator.ts";
import { type EndReason, type LogSink, logEnd, logStart } from "./guest-log.ts";
import type { GuestPort, StockGuestPort, StockMachine } from "./guest-port.ts";
import { channelAddress, type MigrationAddress, migrationAddress } from "./migration/migration-address.ts";
import { loadTlsCredentials, tlsCredentialsType } from "./migration/tls-credentials.ts";
import { attachMonitor } from "./monitor/attach-monitor.ts";
import { closeChardevs } from "./monitor/close-chardevs.ts";
import { monitorStateOf } from "./monitor/monitor-state.ts";
import { registerChardev } from "./monitor/register-chardev.ts";
import { QomObject } from "./objects/qom-object.ts";
import { portWithOffer } from "./port-with-offer.ts";
import { QemuError, StockStartError } from "./qemu-error.ts";

export interface StartOptions {
  /** The words after the program's name. */
  readonly arguments: readonly string[];
  /** Undefined outside of any host. */
  readonly port: GuestPort | undefined;
  /** A port for a guest that has a kernel or a disk: over the same host, with a stock QEMU for all but AP. Without it such a guest is refused. */
  readonly stockPort?: (machine: StockMachine, report: (line: string) => void) => StockGuestPort;
  /** The guest's name where -name gives none. */
  readonly defaultName: string;
  readonly nowMs: () => number;
  /** Whole lines, as they stand on QEMU's stderr. */
  readonly stderr?: (line: string) => void;
  readonly log?: LogSink;
  /** Why no character device may have this process's input and output; undefined: one may. */
  readonly stdioRefusal?: string;
  readonly surroundings?: ChardevSurroundings;
}

export interface StartedEmulator {
  readonly emulator: Emulator;
  readonly commandLine: CommandLine;
  /** The exit status, when the guest is gone and its monitors are closed. */
  readonly ended: Promise<number>;
  /** A line on QEMU's stderr, with everything that stands before it. */
  report(line: string): void;
  /** Ends a guest that was to come and did not, as a management does: its log has that it failed, then the signal that ended it. */
  failIncoming(sender: { readonly pid: number; readonly name: string }): Promise<void>;
}

/** Nothing was started. Its message is what `stderr` and `log` have, lines without an end of the last. */
export class StartError extends Error {
  readonly status = 1;
}

/** Does what `qemu-system-s390x ARGUMENTS` does: a running emulator with its monitors, or a text that was asked for. StartError. */
export async function startEmulator(options: StartOptions): Promise<StartedEmulator | HelpText> {
  const { nowMs, log } = options;
  if (log) logStart(log, nowMs(), options.arguments);
  try {
    const commandLine = readCommandLine(options.arguments);
    if ("help" in commandLine) return commandLine;
    return await new Start(options, commandLine).run();
  } catch (error) {
    throw reported(error, options);
  }
}

/** Says on stderr and in the log, once, why nothing was started. */
function reported(error: unknown, { nowMs, log, stderr }: StartOptions): unknown {
  if (!(error instanceof QemuError) && !(error instanceof StockStartError)) return error;
  const lines = error instanceof QemuError ? errorLines(error) : error.message.split("\n");
  for (const line of lines) {
    log?.(line);
    stderr?.(line);
  }
  if (log) logEnd(log, nowMs(), "failed");
  return new StartError(lines.join("\n"));
}

const program = "qemu-system-s390x";

function errorLines(error: QemuError): string[] {
  const earlier = error instanceof LaterError ? error.earlier : [];
  const hint = error.hint?.split("\n") ?? [];
  // A second line of a message is a hint and stands by itself.
  return [...earlier, error.message].flatMap((message) => `${program}: ${message}`.split("\n")).concat(hint);
}

class Start {
  readonly #chardevs = new Map<string, Chardev>();
  /** Undefined: the log has it already. */
  #reason: EndReason | undefined = "crashed";

  constructor(
    private readonly options: StartOptions,
    private readonly commandLine: CommandLine,
  ) {}

  async run(): Promise<StartedEmulator> {
    const { commandLine } = this;
    const report = (line: string): void => this.#report(line);
    for (const warning of commandLine.warnings) report(warning);
    if (!commandLine.stock) for (const ignored of commandLine.ignored) this.options.log?.(`${ignored} has no effect in a model guest`);
    try {
      await this.#openChardevs();
      const emulator = await this.#complete();
      return { emulator, commandLine, ended: this.#end(emulator), report, failIncoming: (sender) => this.#failIncoming(emulator, sender) };
    } catch (error) {
      // libvirt reads stderr as soon as its monitor is closed.
      const failure = reported(error, this.options);
      await this.#closeChardevs();
      throw failure;
    }
  }

  async #complete(): Promise<Emulator> {
    const { commandLine, options } = this;
    const hostPort = this.#port();
    const cpu = chosenCpu(commandLine, hostPort.offer, (line) => this.#report(line));
    const stockPort = this.#stockPort();
    const port = stockPort ?? hostPort;
    const emulator = new Emulator({
      name: commandLine.name ?? options.defaultName,
      port,
      nowMs: options.nowMs,
      machine: {
        type: commandLine.machine.type,
        cpus: commandLine.cpus,
        maxCpus: commandLine.maxCpus,
        memoryBytes: commandLine.memoryBytes,
        cpu,
      },
      actions: commandLine.actions,
      accelerator: commandLine.accelerator,
      isMigratableOnly: commandLine.isMigratableOnly,
      ...(commandLine.incoming && { isIncoming: true }),
      ...(commandLine.uuid !== undefined && { uuid: commandLine.uuid }),
      ...(stockPort && { stock: stockPort.stock }),
      report: (line) => this.#report(line),
      note: (line) => options.log?.(line),
    });
    this.#addObjects(emulator);
    await emulator.create();
    try {
      this.#attachMonitors(emulator);
      await emulator.exclusively(() => this.#plugAndRun(emulator));
    } catch (error) {
      await emulator.abandon();
      throw error;
    }
    return emulator;
  }

  async #plugAndRun(emulator: Emulator): Promise<void> {
    for (const { options, place } of this.commandLine.devices) {
      try {
        await emulator.addDevice(options, place);
      } catch (error) {
        throw atPlace(place, error);
      }
    }
    await emulator.begin({ isPaused: this.commandLine.isPaused });
    const { incoming } = this.commandLine;
    if (!incoming || incoming.argument === "defer") return;
    try {
      await monitorStateOf(emulator).migration.listen(incomingAddress(incoming.argument), { exitsOnError: true });
    } catch (error) {
      throw atPlace(incoming.place, error);
    }
  }

  #port(): GuestPort {
    const { port } = this.options;
    const { machine, accelerator } = this.commandLine;
    if (!port) {
      if (machine.type.isEmpty) return absentPort;
      throw new QemuError(
        accelerator === "kvm" ? "failed to initialize kvm: No such file or directory" : "there is no host for a guest here",
        "GenericError",
        "Start it inside a host: adjunct exec HOST -- qemu-system-s390x ...",
      );
    }
    return accelerator === "kvm" ? port : portWithOffer(port, noOffer);
  }

  /** Undefined for a model guest. QemuError. */
  #stockPort(): StockGuestPort | undefined {
    const { stock, memoryBytes } = this.commandLine;
    const { stockPort } = this.options;
    if (!stock) return undefined;
    if (!stockPort) throw new QemuError("a guest with a kernel or a disk cannot run here");
    return stockPort({ words: stock, memoryBytes }, (line) => this.#report(line));
  }

  async #openChardevs(): Promise<void> {
    const forMonitors = new Set(this.commandLine.monitors.map(({ chardev }) => chardev));
    for (const { record, place, failure } of this.commandLine.chardevs) {
      // The stock QEMU opens what its devices talk through.
      if (this.commandLine.stock && !forMonitors.has(record.id)) continue;
      try {
        this.#chardevs.set(record.id, await this.#open(record, forMonitors.has(record.id)));
      } catch (error) {
        if (failure === undefined || !(error instanceof QemuError)) throw atPlace(place, error);
        throw new LocatedError(place, failure, error.hint, [`${place}: ${error.message}`]);
      }
    }
  }

  /** Only a monitor talks; what is for a console may be of any kind, since nothing will come out of it. */
  async #open(record: ChardevRecord, isForMonitor: boolean): Promise<Chardev> {
    const isKnown = chardevBackendNames().includes(record.backend);
    const { stdioRefusal } = this.options;
    if (record.backend === "stdio" && stdioRefusal !== undefined) throw new QemuError(stdioRefusal);
    if (isKnown || isForMonitor) return createChardev(record, this.options.surroundings);
    this.options.log?.(`chardev ${record.id}: ${record.backend} has no effect in a model guest`);
    return createChardev({ id: record.id, backend: "null", options: new Map() });
  }

  #addObjects(emulator: Emulator): void {
    const { userObjects, chardevs } = emulator.machine;
    for (const { type, id, values, place } of this.commandLine.objects) {
      if (type === tlsCredentialsType) located(place, () => loadTlsCredentials(values));
      userObjects.add(id, new QomObject(type, Object.fromEntries(values)));
    }
    for (const { record } of this.commandLine.chardevs) chardevs.add(record.id, new QomObject(`chardev-${record.backend}`));
  }

  #attachMonitors(emulator: Emulator): void {
    for (const chardev of this.#chardevs.values()) registerChardev(emulator, chardev);
    for (const record of this.commandLine.monitors) {
      const chardev = this.#chardevs.get(record.chardev);
      if (!chardev) throw new LocatedError(record.place, `chardev "${record.chardev}" not found`);
      located(record.place, () => attachMonitor(emulator, chardev, { mode: record.mode, pretty: record.isPretty }));
    }
    emulator.onEvent(({ event, data }) => {
      if (event !== "SHUTDOWN" || this.#reason === undefined) return;
      this.#reason = emulator.runState === "postmigrate" ? "migrated" : endReason(data);
    });
  }

  async #end(emulator: Emulator): Promise<number> {
    const status = await emulator.ended;
    // Those that monitors made later, too.
    await closeChardevs(emulator);
    const { log, nowMs } = this.options;
    const reason = monitorStateOf(emulator).migration.hasFailedToArrive ? "failed" : this.#reason;
    if (log && reason !== undefined) logEnd(log, nowMs(), reason);
    return status;
  }

  async #failIncoming(emulator: Emulator, { pid, name }: { readonly pid: number; readonly name: string }): Promise<void> {
    const { log, nowMs } = this.options;
    if (emulator.hasEnded) return;
    if (log) logEnd(log, nowMs(), "failed");
    this.#reason = undefined;
    this.#report(`terminating on signal ${constants.signals.SIGTERM} from pid ${pid} (${name})`);
    await emulator.exclusively(() => emulator.quit("host-signal"));
  }

  async #closeChardevs(): Promise<void> {
    for (const chardev of this.#chardevs.values()) await chardev.close();
  }

  #report(line: string): void {
    const { hasTimestamp, hasGuestName } = this.commandLine.messages;
    const time = hasTimestamp ? `${timestamp(this.options.nowMs())} ` : "";
    const name = hasGuestName && this.commandLine.name !== undefined ? `${this.commandLine.name} ` : "";
    // A second line is a hint and stands by itself.
    for (const text of `${time}${name}${program}: ${line}`.split("\n")) {
      this.options.log?.(text);
      this.options.stderr?.(text);
    }
  }
}

/** A URI, or a channel as JSON. QemuError. */
const incomingAddress = (argument: string): MigrationAddress =>
  argument.startsWith("{") ? channelAddress([Object.fromEntries(structuredOption(argument, "").values)]) : migrationAddress(argument);

/** 2026-11-21T05:12:00.123000Z */
const timestamp = (nowMs: number): string => new Date(nowMs).toISOString().replace("Z", "000Z");

function endReason(data: Readonly<Record<string, unknown>> | undefined): EndReason {
  if (data?.guest === true) return "shutdown";
  return data?.reason === "host-error" ? "crashed" : "destroyed";
}
