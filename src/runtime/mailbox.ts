import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { DeviceChannel } from "./device-channel.ts";
import type { ModelTurns } from "./model-turns.ts";
import { sharedWord } from "./shared-state.ts";
import { type Input, type Output, toOutput } from "./thread-messages.ts";
import type { TimerAnnouncer } from "./timer-announcer.ts";
import type { WorkerPorts } from "./worker-ports.ts";

/**
 * What the main thread asks of the model, commands and ticks, and what workers send it: each is an input like a write. Who puts a message
 * in sends one wake-up through the device then, unless one is on its way; that is why the mark is cleared before the first
 * message is taken.
 */
export class Mailbox {
  #isStopped = false;

  constructor(
    private readonly port: MessagePort,
    private readonly shared: Int32Array<SharedArrayBuffer>,
    private readonly turns: ModelTurns,
    private readonly channel: DeviceChannel,
    private readonly timer: TimerAnnouncer,
    private readonly workers: WorkerPorts | undefined,
  ) {}

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Runs every input that is there. */
  drain(): void {
    Atomics.store(this.shared, sharedWord.isWoken, 0);
    while (!this.#isStopped) {
      const received = receiveMessageOnPort(this.port);
      if (!received) break;
      this.#take(received.message as Input);
    }
    this.workers?.receive((worker, message) => this.#run(() => this.workers?.take(worker, message)));
  }

  #take(input: Input): void {
    if (input.kind === "stop") this.#isStopped = true;
    else if (input.kind === "command") this.#command(input.id, input.request);
    else if (input.kind === "worker-started") this.workers?.started(input.worker, input.port);
    else if (input.kind === "worker-ended") this.#run(() => this.workers?.ended(input.worker));
    else this.#tick(input.id, input.nowMs);
  }

  #command(id: number, request: unknown): void {
    let answer: Output | undefined;
    let isRunning = true;
    this.channel.beginInput();
    this.turns.command(request, (outcome) => {
      if (isRunning) answer = toOutput(id, outcome);
      else this.channel.output(toOutput(id, outcome));
    });
    isRunning = false;
    this.channel.endCommand(answer);
  }

  #run(input: () => void): void {
    this.channel.beginInput();
    input();
    this.channel.endCommand(undefined);
  }

  #tick(id: number | undefined, nowMs: number | undefined): void {
    this.timer.fired();
    if (nowMs === undefined) this.channel.beginInput();
    else this.turns.tick(nowMs);
    this.channel.endCommand(id === undefined ? undefined : { kind: "answer", id, value: undefined });
  }
}
