import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { examineMachine } from "../../src/host/machine-examination.ts";
import { detachMountsBelow } from "../../src/host/mount-table.ts";

export const projectRoot = join(import.meta.dirname, "../..");
export const launcher = join(projectRoot, "bin/adjunct");
export const threeGuests = join(projectRoot, "examples/three-guests.yaml");

export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why nothing can be mounted here; undefined if it can. */
export function whyNotMountable(): string | undefined {
  const missing = examineMachine().find(({ isNeeded, isPresent }) => isNeeded && !isPresent);
  return missing && `${missing.what}: ${missing.meaning}`;
}

/** Folders of its own for the hosts of one test; whatever runs or is mounted there ends with the test. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "adjunct-test-"));
  readonly runFolder = join(this.folder, "run");
  readonly stateFolder = join(this.folder, "state");
  readonly environment: NodeJS.ProcessEnv = { ...process.env, ADJUNCT_RUN_DIR: this.runFolder, ADJUNCT_STATE_DIR: this.stateFolder };
  readonly #children = new Set<ChildProcess>();

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  spawn(program: string, words: readonly string[], environment = this.environment): ChildProcess {
    const child = spawn(program, words, { env: environment, stdio: ["pipe", "pipe", "pipe"], cwd: projectRoot });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  async run(program: string, words: readonly string[], input: string | Uint8Array = ""): Promise<Outcome> {
    const child = this.spawn(program, words);
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    return outcomeOf(child);
  }

  adjunct(...words: string[]): Promise<Outcome> {
    return this.run(process.execPath, [launcher, ...words]);
  }

  /** Brings up a host and leaves it running; throws what it says if it does not come up. */
  async up(file: string, ...options: string[]): Promise<{ name: string; pid: number; mount: string; controlSocket: string }> {
    const { status, stdout, stderr } = await this.adjunct("up", file, "--detach", "--json", ...options);
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    // Another user's hosts of a test are in a folder of their own.
    for (const folder of [this.runFolder, join(this.folder, "user/run")]) for (const pid of hostProcesses(folder)) endProcess(pid);
    await this.adjunct("hosts");
    detachMountsBelow(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The processes of the hosts that a run folder knows. */
function hostProcesses(runFolder: string): number[] {
  if (!existsSync(runFolder)) return [];
  return readdirSync(runFolder).flatMap((name) => {
    const description = join(runFolder, name, "host.json");
    return existsSync(description) ? [(JSON.parse(readFileSync(description, "utf8")) as { pid: number }).pid] : [];
  });
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/** Resolves with what a child printed as soon as that matches. */
export function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const take = (chunk: unknown): void => {
      text += String(chunk);
      if (pattern.test(text)) resolve(text);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", () => reject(new Error(`ended before it printed ${pattern}: ${text}`)));
  });
}

/** Polls until `condition` holds. An Error that shows the condition after two minutes. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`this does not come true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

/** A fresh sandbox for every test of a file. */
export function useSandbox(): { readonly current: Sandbox } {
  const holder = { current: undefined as unknown as Sandbox };
  beforeEach(() => {
    holder.current = new Sandbox();
  });
  afterEach(() => holder.current.close());
  return holder;
}

/** Skips every test of a file, with the reason, where nothing can be mounted. */
export function needsMount(): void {
  const reason = whyNotMountable();
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
}
