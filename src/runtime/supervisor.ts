import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The host's end of the supervisor process: see supervisor-process.ts. */
const beatMs = 1000;

export interface SupervisorOptions {
  readonly device: number;
  readonly mountPoint: string;
  /** How long the host may be silent before its mount is taken away. */
  readonly silenceLimitMs: number;
  /** It ended although nobody asked it to: nothing can be woken any more. */
  readonly onLost: () => void;
}

export class Supervisor {
  readonly #process: ChildProcess;
  readonly #beat: NodeJS.Timeout;
  readonly #exited: Promise<void>;
  #isClosing = false;
  #resolveReady: () => void = () => {};
  #rejectReady: (error: Error) => void = () => {};
  #resolveUnmounted: () => void = () => {};
  #resolveMounted: (minor: number) => void = () => {};
  /** Requests may come; the minor number of the mount's device. Never resolves if that fails. */
  readonly mounted: Promise<number>;
  /** Mounted, and the wake file is open; rejects with why not. */
  readonly ready: Promise<void>;
  readonly #unmounted: Promise<void>;

  constructor({ device, mountPoint, silenceLimitMs, onLost }: SupervisorOptions) {
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.ready.catch(() => {});
    this.mounted = new Promise((resolve) => {
      this.#resolveMounted = resolve;
    });
    this.#unmounted = new Promise((resolve) => {
      this.#resolveUnmounted = resolve;
    });
    const program = fileURLToPath(new URL("./supervisor-process.js", import.meta.url));
    // A session of its own: a signal to the host's group must not take both.
    this.#process = spawn(process.execPath, ["--max-old-space-size=32", program, mountPoint, String(silenceLimitMs)], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "pipe", "ignore", device],
    });
    this.#process.stdin?.on("error", () => {});
    this.#exited = new Promise((resolve) => {
      const end = (): void => {
        this.#rejectReady(new Error("the supervisor of the mount ended"));
        this.#resolveUnmounted();
        resolve();
        if (!this.#isClosing) onLost();
      };
      this.#process.once("exit", end);
      this.#process.once("error", (error) => {
        this.#rejectReady(new Error(`the supervisor of the mount did not start: ${error.message}`));
        end();
      });
    });
    if (this.#process.stdout) createInterface({ input: this.#process.stdout }).on("line", (line) => this.#hear(line));
    this.#beat = setInterval(() => this.#say("beat"), beatMs);
    this.#beat.unref();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Takes the mount out of the tree of names; who has it open keeps it. */
  async unmount(): Promise<void> {
    this.#isClosing = true;
    this.#say("unmount");
    await this.#unmounted;
  }

  /** Ends the process; it takes away what is still mounted. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#beat);
    this.#process.stdin?.end();
    await this.#exited;
  }

  #say(word: string): void {
    if (this.#process.stdin?.writable) this.#process.stdin.write(`${word}\n`);
  }

  #hear(line: string): void {
    const message = JSON.parse(line) as { mounted?: number; ready?: boolean; failed?: string; unmounted?: boolean };
    if (message.mounted !== undefined) this.#resolveMounted(message.mounted);
    if (message.ready) this.#resolveReady();
    if (message.failed !== undefined) this.#rejectReady(new Error(message.failed));
    if (message.unmounted) this.#resolveUnmounted();
  }
}
