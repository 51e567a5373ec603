import type { QueueEpoch } from "../../queue-epoch.ts";
import type { AsymmetricEngine, AsymmetricResult, AsymmetricTask } from "./asymmetric-task.ts";
import { computeAsymmetric } from "./compute-asymmetric.ts";
import { FairLine } from "./fair-line.ts";
import { packTask, type WorkerAnswer, type WorkerRequest } from "./worker-messages.ts";

/** Threads that work for a model, by number. Each takes its messages in order; one that is not there is started by the first. */
export interface Workers {
  readonly count: number;
  send(worker: number, message: unknown): void;
  listen(listener: WorkersListener): void;
}

export interface WorkersListener {
  onMessage(worker: number, message: unknown): void;
  /** It is gone, with all that it was sent and did not answer; the next message starts another. */
  onEnd(worker: number): void;
}

/** An engine whose long tasks are done by workers. */
export function workerEngine(workers: Workers): AsymmetricEngine {
  const desk = new WorkerDesk(workers);
  return (task, epoch, done) => (isShort(task) ? done(computeAsymmetric(task)) : desk.take({ task, epoch, done }));
}

/** A public operation is done sooner than a worker can be told of it. */
const maxShortExponentBytes = 4;

function isShort(task: AsymmetricTask): boolean {
  if (task.kind !== "power") return false;
  const first = task.exponent.findIndex((byte) => byte !== 0);
  return first === -1 || task.exponent.length - first <= maxShortExponentBytes;
}

interface Order {
  readonly task: AsymmetricTask;
  readonly epoch: QueueEpoch;
  readonly done: (result: AsymmetricResult) => void;
}

/**
 * What a worker may have at a time, in private operations of 2048 bits: enough that it finds its next task when some are done, little
 * enough that a reset, or another guest's task, has not long to wait behind it. Two tasks are never too much.
 */
const fullLoad = 8;
const unitBytes = 256;
/** A power by a long exponent against one by CRT. */
const powerFactor = 8;

const loadOf = ({ kind, size }: AsymmetricTask): number => (kind === "power" ? powerFactor : 1) * (size / unitBytes) ** 3;

interface WorkerState {
  /** What it was given and has not answered, by number. */
  readonly orders: Map<number, Order>;
  load: number;
  /** Whose keys it may have. */
  readonly scopes: Set<number>;
}

/**
 * Gives out tasks. A worker has few at a time; all others wait here, where a reset takes them out of the line, and queues take turns: so
 * what waits is never more than the queues hold, and a guest that fills its queues delays no other guest's for long. Replies are put
 * into order by the queue, whichever worker is done first.
 */
class WorkerDesk {
  readonly #workers: Workers;
  readonly #line = new FairLine<QueueEpoch, Order>();
  readonly #states: readonly WorkerState[];
  readonly #scopes = new Map<QueueEpoch, number>();
  #lastId = 0;
  #lastScope = 0;

  constructor(workers: Workers) {
    this.#workers = workers;
    this.#states = Array.from({ length: workers.count }, () => ({ orders: new Map(), load: 0, scopes: new Set() }));
    workers.listen({
      onMessage: (worker, message) => this.#finish(worker, message as WorkerAnswer),
      onEnd: (worker) => this.#fail(worker),
    });
  }

  take(order: Order): void {
    const { epoch } = order;
    if (epoch.isOver) return;
    if (!this.#scopes.has(epoch)) {
      this.#scopes.set(epoch, ++this.#lastScope);
      epoch.onEnd(() => this.#forget(epoch));
    }
    this.#line.add(epoch, order);
    this.#giveOut();
  }

  #giveOut(): void {
    for (;;) {
      const worker = this.#leastBusy();
      const state = this.#states[worker]!;
      const hasRoom = state.orders.size < 2 || state.load < fullLoad;
      const order = hasRoom ? this.#line.take() : undefined;
      if (!order) return;
      const id = ++this.#lastId;
      const scope = this.#scopes.get(order.epoch)!;
      state.orders.set(id, order);
      state.load += loadOf(order.task);
      state.scopes.add(scope);
      this.#workers.send(worker, { do: "compute", id, scope, task: packTask(order.task) } satisfies WorkerRequest);
    }
  }

  /** The first of them: another is only started when this one has something to do. */
  #leastBusy(): number {
    let least = 0;
    for (const [worker, { load }] of this.#states.entries()) if (load < this.#states[least]!.load) least = worker;
    return least;
  }

  #finish(worker: number, { id, result }: WorkerAnswer): void {
    const state = this.#states[worker]!;
    const order = state.orders.get(id);
    if (!order) return;
    state.orders.delete(id);
    state.load -= loadOf(order.task);
    this.#giveOut();
    if (!order.epoch.isOver) order.done(result);
  }

  #fail(worker: number): void {
    const state = this.#states[worker]!;
    const lost = [...state.orders.values()];
    state.orders.clear();
    state.load = 0;
    state.scopes.clear();
    for (const { epoch, done } of lost) if (!epoch.isOver) done("failed");
    this.#giveOut();
  }

  #forget(epoch: QueueEpoch): void {
    const scope = this.#scopes.get(epoch)!;
    this.#scopes.delete(epoch);
    this.#line.drop(epoch);
    for (const [worker, { scopes }] of this.#states.entries()) {
      if (scopes.delete(scope)) this.#workers.send(worker, { do: "forget", scope } satisfies WorkerRequest);
    }
  }
}
