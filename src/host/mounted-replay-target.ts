import { type ChildProcess, fork } from "node:child_process";
import { closeSync, constants, lstatSync, mkdtempSync, openSync, readdirSync, readlinkSync, readSync, rmdirSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "./package-root.ts";
import type { ReplayTarget, TraceStart } from "./replay.ts";
import type { ServerAnswer, ServerRequest, ServerStart } from "./trace-server.ts";

/** A trace's host behind a mount in another process; file operations are system calls on it. */
export interface MountedTargetOptions {
  /** `manual`: nothing happens by itself; `real`: the bus's own timers run as well. */
  readonly clock: "real" | "manual";
  /** Told where the host's /sys is. */
  readonly onMounted?: (sys: string) => void;
}

const pageBytes = 4096;

export const mountedTarget =
  ({ clock, onMounted }: MountedTargetOptions) =>
  async (start: TraceStart): Promise<ReplayTarget> => {
    const mountPoint = mkdtempSync(join(tmpdir(), "adjunct-replay-"));
    const server = new Server({ start, mountPoint, clock });
    try {
      await server.ready;
    } catch (error) {
      rmdirSync(mountPoint);
      throw error;
    }
    const real = (path: string): string => join(mountPoint, "host", path.slice("/sys".length));
    onMounted?.(real("/sys"));
    return {
      hardware: async (line) => void (await server.ask(line)),
      read: async (path) => readWhole(real(path)),
      write: async (path, data) => writeOnce(real(path), data),
      list: async (path) => listEntries(real(path)),
      createVm: async (vm) => void (await server.ask({ vm })),
      open: async (vm, mdev) => void (await server.ask({ open: vm, mdev })),
      close: async (vm) => void (await server.ask({ close: vm })),
      settle: async () => void (await server.ask({ settle: true })),
      takeLog: async () => (await server.ask({ take: "log" })) as { kmsg: string[]; zapq: string[] },
      async stop() {
        await server.stop();
        rmdirSync(mountPoint);
      },
    };
  };

class Server {
  readonly ready: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor(start: ServerStart) {
    this.#child = fork(join(packageRoot, "dist/host/trace-server.js"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.ready = new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    this.#child.on("message", (answer: ServerAnswer) => this.#take(answer));
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => {
        for (const { reject } of this.#waiting.values()) reject(new Error("the process that serves the trace's host ended"));
        this.#waiting.clear();
        resolve();
      });
    });
    this.#child.send(start);
  }

  ask(request: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, request } satisfies ServerRequest);
    });
  }

  async stop(): Promise<void> {
    this.#child.disconnect();
    await this.#exited;
  }

  #take(answer: ServerAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("code" in answer) waiting?.reject(Object.assign(new Error(answer.message), answer.code === "" ? {} : { code: answer.code }));
    else waiting?.resolve(answer.value);
  }
}

function readWhole(path: string): string {
  const file = openSync(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.alloc(pageBytes);
    let text = "";
    for (let count = readSync(file, buffer); count > 0; count = readSync(file, buffer)) text += buffer.toString("latin1", 0, count);
    return text;
  } finally {
    closeSync(file);
  }
}

function writeOnce(path: string, data: string): void {
  const file = openSync(path, constants.O_WRONLY);
  try {
    writeSync(file, Buffer.from(data, "latin1"));
  } finally {
    closeSync(file);
  }
}

/** Names with a leading dot are left out. */
function listEntries(path: string): string[] {
  return readdirSync(path)
    .filter((name) => !name.startsWith("."))
    .map((name) => {
      const status = lstatSync(join(path, name));
      const mode = status.mode.toString(8);
      return status.isSymbolicLink() ? `${name} ${mode} -> ${readlinkSync(join(path, name))}` : `${name} ${mode}`;
    });
}
