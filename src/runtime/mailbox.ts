import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { DeviceChannel } from "./device-channel.ts";
import type { ModelTurns } from "./model-turns.ts";
import { sharedWord } from "./shared-state.ts";
import { type Input, type Output, toOutput } from "./thread-messages.ts";
import type { TimerAnnouncer } from "./timer-announcer.ts";

/**
 * What the main thread asks of the model: commands and ticks, each an input like a write. The main thread puts a message in, then sends one
 * wake-up through the device unless one is on its way; that is why the mark is cleared before the first message is taken.
 */
export class Mailbox {
  #isStopped = false;

  constructor(
    private readonly port: MessagePort,
    private readonly shared: Int32Array<SharedArrayBuffer>,
    private readonly turns: ModelTurns,
    private readonly channel: DeviceChannel,
    private readonly timer: TimerAnnouncer,
  ) {}

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Runs every input that is there. */
  drain(): void {
    Atomics.store(this.shared, sharedWord.isWoken, 0);
    while (!this.#isStopped) {
      const received = receiveMessageOnPort(this.port);
      if (!received) return;
      this.#take(received.message as Input);
    }
  }

  #take(input: Input): void {
    if (input.kind === "stop") this.#isStopped = true;
    else if (input.kind === "command") this.#command(input.id, input.request);
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

  #tick(id: number | undefined, nowMs: number | undefined): void {
    this.timer.fired();
    if (nowMs === undefined) this.channel.beginInput();
    else this.turns.tick(nowMs);
    this.channel.endCommand(id === undefined ? undefined : { kind: "answer", id, value: undefined });
  }
}
