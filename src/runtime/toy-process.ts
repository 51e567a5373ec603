import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { mountsAt } from "../fuse/mount-table.ts";
import type { MountedOptions } from "./mounted.ts";

/**
 * The toy model served by a process of its own, for tests and benchmarks. The mount is touched by further processes only: a test
 * that hung in it could not be ended.
 */
export interface Result {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

type ToyOptions = Partial<MountedOptions> & { readonly eventDelayMs?: number };
type Line = Readonly<Record<string, unknown>>;

const programLimitMs = 20_000;
const built = fileURLToPath(new URL("../../dist/runtime/toy-host.js", import.meta.url));

export class ToyProcess {
  readonly mountPoint: string;
  readonly process: ChildProcess;
  readonly lines: Line[] = [];
  #onLine: () => void = () => {};

  private constructor(options: ToyOptions, mountPoint: string, prefix: readonly string[]) {
    if (!existsSync(built)) throw new Error("dist is missing: npm run build");
    this.mountPoint = mountPoint;
    const [program = "", ...parameters] = [...prefix, process.execPath, built, mountPoint, JSON.stringify(options)];
    this.process = spawn(program, parameters, { cwd: "/", stdio: ["pipe", "pipe", "inherit"] });
    this.process.stdin?.on("error", () => {});
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#onLine();
    });
    this.process.once("exit", () => this.#onLine());
  }

  /** Starts it and waits until its mount answers; `prefix` is what to run it under, such as taskset. */
  static async start(options: ToyOptions = {}, mountPoint?: string, prefix: readonly string[] = []): Promise<ToyProcess> {
    const toy = new ToyProcess(options, mountPoint ?? mkdtempSync(join(tmpdir(), "adjunct-mount-")), prefix);
    await toy.line((line) => "ready" in line);
    return toy;
  }

  /** The process that watches over its mount. */
  async supervisorPid(): Promise<number> {
    return Number((await run("pgrep", "-P", String(this.process.pid))).stdout);
  }

  path(...names: string[]): string {
    return join(this.mountPoint, "host", ...names);
  }

  /** The first line that `matches`, of those that came and those to come; fails when the process ends without it. */
  async line(matches: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found) return found;
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`the toy host ended: ${JSON.stringify(this.lines.at(-1))}`);
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  async command(request: Line): Promise<Line> {
    this.lines.length = 0;
    this.process.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.line((line) => "answer" in line || "refused" in line);
  }

  /** Ends it in good order; resolves with its exit status. */
  async stop(): Promise<number | null> {
    const exited = this.process.exitCode === null ? once(this.process, "exit") : undefined;
    this.process.stdin?.end();
    await exited;
    return this.process.exitCode;
  }

  /** Whatever state it is in: nothing is left of it afterwards. */
  async destroy(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGKILL");
      await once(this.process, "exit");
    }
    await untilUnmounted(this.mountPoint, 5000);
    while (isMounted(this.mountPoint)) if ((await run("umount", "-l", this.mountPoint)).status !== 0) break;
    rmdirSync(this.mountPoint);
  }
}

export const isMounted = (mountPoint: string): boolean => mountsAt(mountPoint).length > 0;

/** Whether the mount went away in time. Looks at the mount table, not at the mount. */
export async function untilUnmounted(mountPoint: string, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (isMounted(mountPoint)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Runs a program to its end. */
export const run = (program: string, ...parameters: string[]): Promise<Result> =>
  new Promise((resolve) => {
    execFile(
      program,
      parameters,
      { cwd: "/", env: { ...process.env, LC_ALL: "C" }, timeout: programLimitMs, killSignal: "SIGKILL" },
      (error, stdout, stderr) => resolve({ status: error ? (error.code ?? error.signal ?? 1) : 0, stdout, stderr }),
    );
  });

export const shell = (script: string, ...parameters: string[]): Promise<Result> => run("sh", "-c", script, "sh", ...parameters);

/** Runs JavaScript in another Node; `argv` holds the parameters, `fs` the module; what it prints is its result. */
export const javascript = async (script: string, ...parameters: string[]): Promise<string> => {
  const result = await run(
    process.execPath,
    "-e",
    `const fs = require("node:fs"); const argv = process.argv.slice(1); ${script}`,
    "--",
    ...parameters,
  );
  if (result.status !== 0) throw new Error(`${result.status}: ${result.stderr}`);
  return result.stdout;
};
