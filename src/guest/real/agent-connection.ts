import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  AgentDecoder,
  type AgentMessage,
  type AgentSignal,
  agentVersion,
  closeText,
  helloText,
  inputText,
  maxInputBytes,
  runText,
  signalText,
} from "./agent-protocol.ts";

/** What a job gives and takes. */
export interface AgentJob {
  /** For the guest's shell. */
  readonly script: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  onOutput(bytes: Buffer): void;
  onError(bytes: Buffer): void;
}

export interface AgentRun {
  /** The job's exit status, 128 and a signal's number for a killed one. Rejects when the agent goes away. */
  readonly status: Promise<number>;
  /** To all of the job's processes; nothing when it has ended. */
  signal(name: AgentSignal): void;
}

/**
 * The agent of one guest over a stream of its port. Jobs run side by side. It lives as long as the stream and the guest's start: a second one on
 * the same port ends the first one's jobs, and a guest that was reset has another agent, which knows of no jobs.
 */
export class AgentConnection {
  readonly #stream: Duplex;
  readonly #session = randomBytes(6).toString("hex");
  readonly #decoder = new AgentDecoder();
  readonly #jobs = new Map<string, RunningJob>();
  readonly #waiting = new Set<() => void>();
  #count = 0;
  #isReady = false;
  #failure: Error | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => this.#take(bytes));
    stream.on("error", (error: Error) => this.#fail(error));
    stream.on("close", () => this.#fail(new Error("the guest's agent is gone")));
    // It waits in the port until an agent reads it, however long the guest takes to boot.
    stream.write(helloText(this.#session));
  }

  /** When the agent has answered; rejects when the stream ends before. */
  async ready(): Promise<void> {
    await this.#until(() => this.#isReady);
  }

  run(what: AgentJob): AgentRun {
    const name = `${this.#session}-${++this.#count}`;
    const job: RunningJob = { what, isInputTaken: true, status: undefined };
    this.#jobs.set(name, job);
    this.#stream.write(runText(name, what.script, what.stdin ? "input" : "none"));
    return {
      status: this.#end(name, job),
      signal: (signal) => {
        if (job.status === undefined) this.#stream.write(signalText(name, signal));
      },
    };
  }

  async #end(name: string, job: RunningJob): Promise<number> {
    const ended = this.#until(() => job.status !== undefined);
    // A job that ends does not wait for what it might have read.
    const { stdin } = job.what;
    await (stdin ? Promise.race([ended, this.#send(name, job, stdin).then(() => ended)]) : ended);
    this.#jobs.delete(name);
    return job.status!;
  }

  async #send(name: string, job: RunningJob, stdin: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of stdin) {
      for (let start = 0; start < bytes.length; start += maxInputBytes) {
        await this.#until(() => job.isInputTaken || job.status !== undefined);
        if (job.status !== undefined) return;
        job.isInputTaken = false;
        this.#stream.write(inputText(name, bytes.subarray(start, start + maxInputBytes)));
      }
    }
    await this.#until(() => job.isInputTaken || job.status !== undefined);
    if (job.status === undefined) this.#stream.write(closeText(name));
  }

  #take(bytes: Buffer): void {
    if (this.#failure) return;
    try {
      for (const message of this.#decoder.push(bytes)) this.#handle(message);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      this.#stream.destroy();
    }
    this.#wake();
  }

  #handle(message: AgentMessage): void {
    if (message.kind === "hello") {
      if (message.nonce !== this.#session) return;
      if (message.version !== agentVersion) {
        throw new Error(`the guest's agent speaks version ${message.version}, this is version ${agentVersion}: adjunct guest fetch`);
      }
      this.#isReady = true;
      return;
    }
    // Jobs of a former connection still end.
    const job = this.#jobs.get(message.job);
    if (job === undefined || job.status !== undefined) return;
    if (message.kind === "output") job.what.onOutput(message.bytes);
    if (message.kind === "error") job.what.onError(message.bytes);
    if (message.kind === "taken") job.isInputTaken = true;
    if (message.kind === "end") job.status = message.status;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

interface RunningJob {
  readonly what: AgentJob;
  isInputTaken: boolean;
  status: number | undefined;
}
