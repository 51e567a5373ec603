import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, closeSync, constants, mkdtempSync, openSync, readdirSync, readlinkSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { StockMachine } from "../../qemu/guest-port.ts";
import { QemuError, StockStartError } from "../../qemu/qemu-error.ts";
import { GuestMemory } from "./guest-memory.ts";
import { QmpClient } from "./qmp-client.ts";

/**
 * A stock qemu-system-s390x in a process of its own: standing, with its memory shared and its gdb stub and QMP monitor on sockets that
 * nobody else finds. It dies with the process that started it.
 */
export interface StockQemu {
  readonly qmp: QmpClient;
  readonly memory: GuestMemory;
  /** Of the gdb stub. */
  readonly gdbSocket: string;
  /** Sockets are connected: their files are not needed any more. */
  removeSockets(): void;
  /** Resolves when the process is gone; the text says how it ended. */
  readonly ended: Promise<string>;
  /** Resets the standing machine; resolves when that is done. */
  restart(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

export interface StockQemuOptions extends StockMachine {
  /** Whether its serial line may have this process's input and output. */
  readonly hasStdio: boolean;
  /** It waits for a machine that comes from elsewhere. */
  readonly isIncoming: boolean;
  /** Lines of its stderr after its start, without its name. */
  readonly report: (line: string) => void;
}

const program = "qemu-system-s390x";
const backendId = "adjunct.ram";
const memoryFile = "memfd:memory-backend-memfd";
const connectPauseMs = 10;
const quitMs = 2000;
/** A machine that does not say that it was reset was reset all the same, or is beyond help. */
const resetMs = 5000;

/** QemuError: there is none. StockStartError: what it said when it ended at once. */
export async function startStockQemu(options: StockQemuOptions): Promise<StockQemu> {
  const { words, memoryBytes, hasStdio, isIncoming } = options;
  const path = stockProgram();
  const folder = mkdtempSync(join(tmpdir(), "adjunct-"));
  const [gdbSocket, qmpSocket] = [join(folder, "gdb"), join(folder, "qmp")];
  const own = ["-cpu", "max", "-machine", `s390-ccw-virtio,accel=tcg,memory-backend=${backendId}`, "-S"];
  own.push("-object", `memory-backend-memfd,id=${backendId},size=${memoryBytes},share=on`);
  own.push("-gdb", `unix:${gdbSocket},server=on,wait=off`, "-qmp", `unix:${qmpSocket},server=on,wait=off`);
  own.push("-action", "reboot=shutdown,shutdown=pause");
  if (isIncoming) own.push("-incoming", "defer");
  const stdio = hasStdio ? "inherit" : "ignore";
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", path, ...own, ...words], { stdio: [stdio, stdio, "pipe"] });
  const removeSockets = (): void => rmSync(folder, { recursive: true, force: true });
  const said = new StderrLines(child, options.report);
  const ended = endOf(child);
  try {
    const client = await connected(qmpSocket, ended, said);
    said.reportFromNow();
    const memory = new GuestMemory(memoryPath(child.pid!), memoryBytes);
    void ended.then(() => memory.close());
    return { qmp: client, memory, gdbSocket, removeSockets, ended, restart: () => restart(client), stop: () => stop(child, client, ended) };
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    removeSockets();
    throw error;
  }
}

/** The first one in PATH that is a program: a host's own stands in front of it and is a script. QemuError. */
function stockProgram(): string {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, program)).find(isBinary);
  if (found !== undefined) return found;
  throw new QemuError(
    "there is no stock qemu-system-s390x for a guest with a kernel or a disk",
    "GenericError",
    "Install it: apt-get install qemu-system-misc (Debian 12) or qemu-system-s390x.",
  );
}

const elfMagic = "\x7fELF";

function isBinary(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    const file = openSync(path, "r");
    const start = Buffer.alloc(elfMagic.length);
    readSync(file, start, 0, start.length, 0);
    closeSync(file);
    return start.toString("latin1") === elfMagic;
  } catch {
    return false;
  }
}

/** Rejects with what QEMU said when it ended instead. */
async function connected(path: string, ended: Promise<string>, said: StderrLines): Promise<QmpClient> {
  const failed = ended.then((how): never => {
    throw new StockStartError(said.all() || `${program}: ended at once: ${how}`);
  });
  failed.catch(() => {});
  for (;;) {
    try {
      return await QmpClient.connect(path);
    } catch (error) {
      // Connected, and gone before it answered: its last words come.
      if (!(error instanceof QemuError) && !notYet.has(String((error as { code?: unknown }).code))) throw error;
      await Promise.race([failed, wait(error instanceof QemuError ? quitMs : connectPauseMs)]);
    }
  }
}

/** Of a socket that QEMU has not made yet. */
const notYet: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED"]);

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (status, signal) => resolve(signal ? `signal ${signal}` : `exit status ${status}`));
  });
}

/** The file that QEMU shares the guest's memory through, which has no name but the one of its descriptor. */
function memoryPath(pid: number): string {
  const folder = `/proc/${pid}/fd`;
  const found = readdirSync(folder).find((name) => linkOf(join(folder, name)).includes(memoryFile));
  if (found === undefined) throw new QemuError(`process ${pid} has no guest memory to share`);
  return join(folder, found);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

async function restart(qmp: QmpClient): Promise<void> {
  const isReset = new Promise<void>((resolve) => qmp.watch(({ event }) => event === "RESET" && resolve()));
  // A reset that the guest asks for stops it, so that nothing of the next kernel runs before it is looked at; this one is meant.
  await qmp.execute("set-action", { reboot: "reset" });
  await qmp.execute("system_reset", {});
  await Promise.race([isReset, qmp.closed, wait(resetMs, undefined, { ref: false })]);
  await qmp.execute("set-action", { reboot: "shutdown" });
}

async function stop(child: ChildProcess, qmp: QmpClient, ended: Promise<string>): Promise<void> {
  const timer = setTimeout(() => child.kill("SIGKILL"), quitMs);
  // It is gone before it answers.
  qmp.execute("quit", {}).catch(() => {});
  await ended;
  clearTimeout(timer);
  qmp.close();
}

/** More than QEMU says before it gives up. */
const maxKeptBytes = 64 * 1024;

class StderrLines {
  #kept = "";
  #rest = "";
  #isReported = false;

  constructor(
    child: ChildProcess,
    private readonly report: (line: string) => void,
  ) {
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => this.#take(text));
  }

  all(): string {
    return this.#kept.trimEnd();
  }

  reportFromNow(): void {
    this.#isReported = true;
    for (const line of this.#kept.split("\n")) if (line !== "") this.report(withoutName(line));
    this.#kept = "";
  }

  #take(text: string): void {
    if (!this.#isReported) {
      this.#kept = (this.#kept + text).slice(0, maxKeptBytes);
      return;
    }
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, maxKeptBytes);
    for (const line of lines) this.report(withoutName(line));
  }
}

const withoutName = (line: string): string => (line.startsWith(`${program}: `) ? line.slice(program.length + 2) : line);
