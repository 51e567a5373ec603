import { appendFileSync } from "node:fs";
import { constants } from "node:os";
import { RealGuestPort } from "../../guest/real/real-guest-port.ts";
import { connectGuestPort, type RemoteGuestPort } from "../../host/remote-guest-port.ts";
import { monitorOf } from "../../migration/guest-monitor.ts";
import { readCommandLine } from "../../qemu/command-line/command-line.ts";
import type { LogSink } from "../../qemu/guest-log.ts";
import { QemuError } from "../../qemu/qemu-error.ts";
import { StartError, type StartedEmulator, startEmulator } from "../../qemu/start-emulator.ts";
import { errnoText } from "../../sysfs/errno-text.ts";
import { relayAgent } from "./agent-of-front.ts";
import { isDaemonChild, runDaemonChild, tellReady } from "./daemon-child.ts";
import { writePidFile } from "./pid-file.ts";

const program = "qemu-system-s390x";
/** Of a timer of Node. */
const longestDelayMs = 2 ** 31 - 1;

/** Adjunct's front: a guest of the host whose control socket this is; an empty path stands for none. Resolves with the exit status. */
export async function qemuSystemS390x(words: readonly string[], controlSocket: string): Promise<number> {
  const isChild = isDaemonChild();
  const asked = commandLineOf(words);
  if (asked?.isDaemon && !isChild) return runDaemonChild(words, controlSocket);
  let port: RemoteGuestPort | undefined;
  let removePidFile = (): void => {};
  // A guest without monitors has nothing that Node would wait for.
  const alive = setInterval(() => {}, longestDelayMs);
  try {
    port = controlSocket === "" ? undefined : await connectGuestPort(controlSocket);
    // Before anything is made: of two that are given the same file the second ends here.
    if (asked?.pidFile !== undefined) removePidFile = writePidFile(asked.pidFile);
    const defaultName = `qemu-${process.pid}`;
    const log = logOf(asked, port, asked?.name ?? defaultName);
    const started = await startEmulator({
      arguments: words,
      port,
      defaultName,
      nowMs: Date.now,
      stderr: (line) => process.stderr.write(`${line}\n`),
      log,
      ...(port && { stockPort: (machine, report) => new RealGuestPort(port!, machine, { hasStdio: !isChild, report }) }),
      ...(isChild && { stdioRefusal: "cannot use stdio with -daemonize" }),
    });
    if ("help" in started) {
      process.stdout.write(`${started.help}\n`);
      return 0;
    }
    endBySignals(started);
    if (controlSocket !== "") await relayAgent(started, controlSocket);
    if (!started.commandLine.machine.type.isEmpty) await port?.started(started.emulator.options.name, words, monitorOf(started.emulator));
    if (isChild) tellReady();
    return await started.ended;
  } catch (error) {
    if (!(error instanceof StartError)) process.stderr.write(`${errorText(error)}\n`);
    return 1;
  } finally {
    clearInterval(alive);
    removePidFile();
    port?.close();
  }
}

/** Undefined where it is wrong: starting says so. */
function commandLineOf(words: readonly string[]) {
  try {
    const read = readCommandLine(words);
    return "help" in read ? undefined : read;
  } catch {
    return undefined;
  }
}

/** The file that -D names, and the log that the host keeps of every guest that could run. */
function logOf(asked: ReturnType<typeof commandLineOf>, port: RemoteGuestPort | undefined, guest: string): LogSink {
  const isGuest = asked !== undefined && !asked.machine.type.isEmpty;
  const toFile = asked?.logFile === undefined ? undefined : fileLog(asked.logFile);
  return (line) => {
    toFile?.(line);
    if (isGuest) port?.log(guest, line);
  };
}

function fileLog(path: string): LogSink {
  return (line) => {
    try {
      appendFileSync(path, `${line}\n`);
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      throw new QemuError(`Error opening logfile ${path}: ${errnoText(code) ?? message}`);
    }
  };
}

function endBySignals({ emulator, report }: StartedEmulator): void {
  let isEnding = false;
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) {
    process.on(signal, () => {
      // A terminal's, and the same passed on by whoever waits for us.
      if (isEnding) return;
      isEnding = true;
      // Who sent it is not to be known here; QEMU names that process, too.
      report(`terminating on signal ${constants.signals[signal]}`);
      void emulator.exclusively(() => emulator.quit("host-signal"));
    });
  }
}

function errorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof QemuError) return `${program}: ${message}`;
  if (code === "ENOENT" || code === "ECONNREFUSED") return `${program}: the host does not answer: ${message}`;
  return `${program}: ${message}`;
}
