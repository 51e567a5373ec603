import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Workers, WorkersListener } from "./model.ts";

/**
 * The model's end of its workers, in its own thread: messages go there and back without passing the main thread, which only starts
 * workers and notices their end. What is sent before a worker is there waits for it.
 */
export class WorkerPorts implements Workers {
  readonly #ports: (MessagePort | undefined)[];
  /** Of a worker that is asked for. */
  readonly #early: (unknown[] | undefined)[];
  #listener: WorkersListener | undefined;

  constructor(
    readonly count: number,
    private readonly start: (worker: number) => void,
  ) {
    this.#ports = new Array(count).fill(undefined);
    this.#early = new Array(count).fill(undefined);
  }

  send(worker: number, message: unknown): void {
    const port = this.#ports[worker];
    const early = this.#early[worker];
    if (port) port.postMessage(message);
    else if (early) early.push(message);
    else {
      this.#early[worker] = [message];
      this.start(worker);
    }
  }

  listen(listener: WorkersListener): void {
    this.#listener = listener;
  }

  started(worker: number, port: MessagePort): void {
    const early = this.#early[worker] ?? [];
    this.#ports[worker] = port;
    this.#early[worker] = undefined;
    for (const message of early) port.postMessage(message);
  }

  /** An input of the model: several answers of a worker. */
  take(worker: number, answers: unknown): void {
    for (const one of answers as unknown[]) this.#listener?.onMessage(worker, one);
  }

  /** An input of the model. */
  ended(worker: number): void {
    this.#ports[worker]?.close();
    this.#ports[worker] = undefined;
    this.#listener?.onEnd(worker);
  }

  /** Calls `take` for every message that is there. */
  receive(take: (worker: number, message: unknown) => void): void {
    for (const [worker, port] of this.#ports.entries()) {
      for (let received = port && receiveMessageOnPort(port); received; received = receiveMessageOnPort(port!))
        take(worker, received.message);
    }
  }

  close(): void {
    for (const port of this.#ports.splice(0)) port?.close();
  }
}
