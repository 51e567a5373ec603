import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { printSeed, runParameters } from "../../../../test/properties/seed.ts";
import { generateTestKey, type TestKey, type50Crt, type50Power } from "../../../../test/support/adapter-messages.ts";
import { dqap, nqap, pqap } from "../../../../test/support/instructions.ts";
import { apqn } from "../../../ap/apqn.ts";
import { ResponseCode } from "../../../ap/status.ts";
import { adapterProfile } from "../../adapter-profile.ts";
import { fullMachine } from "../../lpar.ts";
import { Machine } from "../../machine.ts";
import { computingProcessor } from "../computing-processor.ts";
import { asymmetricWorker } from "./asymmetric-worker.ts";
import { immediateEngine } from "./compute-asymmetric.ts";
import { KeyCache } from "./key-cache.ts";
import { type Workers, type WorkersListener, workerEngine } from "./worker-engine.ts";
import type { WorkerRequest } from "./worker-messages.ts";

printSeed("src/machine/adapter/asymmetric/worker-engine.test.ts");

/** Workers that do what is sent to them when they are told to, and die when they are told to. */
class ManualWorkers implements Workers {
  readonly inboxes: WorkerRequest[][];
  readonly caches: KeyCache[];
  computed = 0;
  #work: ReturnType<typeof asymmetricWorker>[];
  #listener: WorkersListener | undefined;

  constructor(readonly count: number) {
    this.inboxes = Array.from({ length: count }, () => []);
    this.caches = Array.from({ length: count }, () => new KeyCache());
    this.#work = this.caches.map((cache) => asymmetricWorker(cache));
  }

  send(worker: number, message: unknown): void {
    this.inboxes[worker]!.push(message as WorkerRequest);
  }

  listen(listener: WorkersListener): void {
    this.#listener = listener;
  }

  get tasks(): number[] {
    return this.inboxes.map((inbox) => inbox.filter((request) => request.do === "compute").length);
  }

  /** One message; false if there is none. */
  step(worker: number): boolean {
    const request = this.inboxes[worker]!.shift();
    if (!request) return false;
    const answer = this.#work[worker]!(structuredClone(request));
    if (request.do === "compute") this.computed++;
    if (answer) this.#listener?.onMessage(worker, structuredClone(answer));
    return true;
  }

  die(worker: number): void {
    this.inboxes[worker] = [];
    this.caches[worker] = new KeyCache();
    this.#work[worker] = asymmetricWorker(this.caches[worker]);
    this.#listener?.onEnd(worker);
  }

  finish(): void {
    while (this.inboxes.some((_, worker) => this.step(worker)));
  }
}

const adapter = 6;
const depth = 8;
const queues = [0, 1, 2].map((domain) => apqn(adapter, domain));
const [first, second, third] = queues as [number, number, number];

function machineWith(engine = immediateEngine): Machine {
  const machine = new Machine(fullMachine, () => 0, computingProcessor({ engine }));
  machine.addAdapter(adapter, { ...adapterProfile(14, "accelerator"), depth });
  for (const domain of [0, 1, 2]) machine.setUsageDomain(domain, true);
  return machine;
}

function setUp(count = 2): { workers: ManualWorkers; machine: Machine } {
  const workers = new ManualWorkers(count);
  return { workers, machine: machineWith(workerEngine(workers)) };
}

const failed = Uint8Array.of(0, 0x88, 0, 0, 0x10, 0, 0, 0);

let key: TestKey;
let otherKey: TestKey;
let longKey: TestKey;
let messages: Buffer[];
beforeAll(() => {
  [key, otherKey, longKey] = [generateTestKey(1024), generateTestKey(1024), generateTestKey(2048)];
  const value = key.encrypt(Buffer.alloc(128, 1));
  const even = { ...key, p: Buffer.concat([key.p.subarray(1), Buffer.of(2)]) };
  messages = [
    type50Crt(1, key, value),
    type50Crt(1, otherKey, otherKey.encrypt(Buffer.alloc(128, 2))),
    type50Crt(2, longKey, longKey.encrypt(Buffer.alloc(256, 3))),
    type50Crt(1, { ...key, u: Buffer.of(3) }, value),
    type50Crt(1, even, value),
    type50Crt(1, key, Buffer.alloc(128, 0xff)),
    type50Power(1, key.d, key.n, value),
    type50Power(1, key.e, key.n, Buffer.alloc(128, 4)),
    type50Power(1, Buffer.of(0), key.n, value),
    Buffer.of(0, 0x50, 0, 0),
  ];
});

const good = (): Buffer => messages[0]!;
const reset = (machine: Machine, queue: number): void => void pqap(machine, "zapq", { queue });

/** Every reply that is there, with its number. */
function takeAll(machine: Machine, queue: number): [number, string][] {
  const taken: [number, string][] = [];
  for (;;) {
    const answer = dqap(machine, queue);
    if (answer.responseCode !== 0) return taken;
    taken.push([answer.id[1], Buffer.from(answer.reply).toString("hex")]);
  }
}

describe("an engine with workers", () => {
  test("gives the replies of an immediate engine, whatever the order in which workers answer, queues are reset and workers die", () => {
    const step = fc.oneof(
      { weight: 10, arbitrary: fc.record({ send: fc.nat({ max: 9 }), queue: fc.constantFrom(...queues) }) },
      { weight: 10, arbitrary: fc.record({ work: fc.nat({ max: 2 }) }) },
      { weight: 3, arbitrary: fc.record({ take: fc.constantFrom(...queues) }) },
      { weight: 1, arbitrary: fc.record({ reset: fc.constantFrom(...queues) }) },
      { weight: 1, arbitrary: fc.record({ die: fc.nat({ max: 2 }) }) },
    );
    let compared = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { workers, machine } = setUp(3);
        const reference = machineWith();
        const expected = new Map<number, [number, string][]>(queues.map((queue) => [queue, []]));
        let number = 0;
        const compare = (queue: number): void => {
          for (const reply of takeAll(machine, queue)) {
            const wanted = expected.get(queue)!.shift();
            if (reply[1] === Buffer.from(failed).toString("hex")) expect(reply[0]).toBe(wanted?.[0]);
            else expect(reply).toEqual(wanted);
            compared++;
          }
        };
        for (const one of steps) {
          if ("send" in one) {
            const { responseCode } = nqap(machine, one.queue, messages[one.send]!, { id: [0, ++number] });
            const isFull = expected.get(one.queue)!.length === depth;
            expect(responseCode).toBe(isFull ? ResponseCode.queueFull : ResponseCode.normal);
            if (isFull) continue;
            nqap(reference, one.queue, messages[one.send]!, { id: [0, number] });
            expected.get(one.queue)!.push(...takeAll(reference, one.queue));
          } else if ("work" in one) workers.step(one.work);
          else if ("take" in one) compare(one.take);
          else if ("die" in one) workers.die(one.die);
          else {
            reset(machine, one.reset);
            expected.set(one.reset, []);
          }
        }
        workers.finish();
        for (const queue of queues) {
          compare(queue);
          expect(expected.get(queue)).toEqual([]);
        }
      }),
      runParameters(200),
    );
    expect(compared).toBeGreaterThan(200);
  });

  test("a reply that is done first waits for the one before it, and DQAP answers 10 until then", () => {
    const { workers, machine } = setUp();
    nqap(machine, first, messages[2]!, { id: [0, 1] });
    nqap(machine, first, good(), { id: [0, 2] });
    expect(workers.tasks).toEqual([1, 1]);
    workers.step(1);
    expect(dqap(machine, first).responseCode).toBe(ResponseCode.noPendingReply);
    workers.step(0);
    expect(takeAll(machine, first).map(([id]) => id)).toEqual([1, 2]);
  });

  test("NQAP answers queue-full at the queue's depth while its messages are with workers, and takes one more for each reply taken", () => {
    const { workers, machine } = setUp(1);
    for (let id = 0; id < depth; id++) expect(nqap(machine, first, good()).responseCode).toBe(0);
    expect(nqap(machine, first, good()).responseCode).toBe(ResponseCode.queueFull);
    workers.step(0);
    expect(nqap(machine, first, good()).responseCode).toBe(ResponseCode.queueFull);
    expect(dqap(machine, first).responseCode).toBe(0);
    expect(nqap(machine, first, good()).responseCode).toBe(0);
  });

  test("uses a second worker only when the first has something to do", () => {
    const { workers, machine } = setUp();
    for (let count = 0; count < 5; count++) {
      nqap(machine, first, good());
      expect(workers.tasks).toEqual([1, 0]);
      workers.step(0);
      expect(takeAll(machine, first)).toHaveLength(1);
    }
  });

  test("answers a public operation and what is no operation without a worker", () => {
    const { workers, machine } = setUp();
    for (const index of [7, 8, 9]) nqap(machine, first, messages[index]!);
    expect(workers.tasks).toEqual([0, 0]);
    expect(takeAll(machine, first)).toHaveLength(3);
  });

  test("gives a worker few tasks at a time, and a queue does not wait for all that another one holds", () => {
    const { workers, machine } = setUp(1);
    for (const queue of [first, third]) for (let count = 0; count < depth; count++) nqap(machine, queue, messages[6]!);
    nqap(machine, second, messages[6]!);
    expect(workers.tasks).toEqual([8]);
    for (let count = 0; count < 10; count++) workers.step(0);
    expect(takeAll(machine, second)).toHaveLength(1);
    workers.finish();
    expect(takeAll(machine, first)).toHaveLength(depth);
    expect(takeAll(machine, third)).toHaveLength(depth);
  });
});

describe("a reset while work is in flight", () => {
  test("drops late results, and new messages get their own", () => {
    const { workers, machine } = setUp(1);
    for (let count = 0; count < depth; count++) nqap(machine, first, messages[2]!, { id: [0, count] });
    reset(machine, first);
    nqap(machine, first, messages[2]!, { id: [0, 99] });
    workers.finish();
    expect(takeAll(machine, first).map(([id]) => id)).toEqual([99]);
  });

  test("takes what no worker has yet out of the line", () => {
    const { workers, machine } = setUp(1);
    for (const queue of [first, second]) for (let count = 0; count < depth; count++) nqap(machine, queue, messages[2]!);
    expect(workers.tasks).toEqual([8]);
    reset(machine, second);
    workers.finish();
    expect(workers.computed).toBe(8);
    expect(takeAll(machine, first)).toHaveLength(depth);
  });

  test("leaves no key of the queue in any worker, and those of other queues", () => {
    const { workers, machine } = setUp(2);
    for (const queue of [first, second]) for (const index of [0, 0, 1, 1, 2, 2]) nqap(machine, queue, messages[index]!);
    workers.finish();
    const before = workers.caches.map(({ size }) => size);
    expect(before.every((size) => size > 1)).toBe(true);
    nqap(machine, first, good());
    reset(machine, first);
    workers.finish();
    expect(workers.caches.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(before.reduce((sum, size) => sum + size, 0));
    reset(machine, second);
    workers.finish();
    expect(workers.caches.map(({ size }) => size)).toEqual([0, 0]);
  });

  test.each<[string, (machine: Machine) => void]>([
    ["RAPQ", (machine) => pqap(machine, "rapq", { queue: first })],
    ["ZAPQ", (machine) => pqap(machine, "zapq", { queue: first })],
    ["removal of the adapter", (machine) => machine.removeAdapter(adapter)],
    ["another adapter in its place", (machine) => machine.addAdapter(adapter, adapterProfile(14, "accelerator"))],
    ["deconfiguring", (machine) => machine.setConfigured(adapter, false)],
    ["checkstop", (machine) => machine.setCheckstop(adapter, true)],
    ["the loss of the domain", (machine) => machine.setUsageDomain(0, false)],
  ])("%s empties the caches of workers", (_, act) => {
    const { workers, machine } = setUp(2);
    for (const index of [0, 1, 2]) nqap(machine, first, messages[index]!);
    workers.finish();
    expect(workers.caches.map(({ size }) => size)).not.toEqual([0, 0]);
    nqap(machine, first, good());
    act(machine);
    workers.finish();
    expect(workers.caches.map(({ size }) => size)).toEqual([0, 0]);
  });

  test("again and again leaves no more with a worker than it may have", () => {
    const { workers, machine } = setUp(1);
    for (let count = 0; count < 50; count++) {
      for (let id = 0; id < depth; id++) nqap(machine, first, messages[2]!);
      reset(machine, first);
    }
    expect(workers.tasks).toEqual([8]);
  });
});

describe("a worker that dies", () => {
  test("fails the tasks it had with an error of the module, in their place, and no others", () => {
    const { workers, machine } = setUp(2);
    for (let id = 1; id <= 4; id++) nqap(machine, first, messages[2]!, { id: [0, id] });
    expect(workers.tasks).toEqual([2, 2]);
    workers.die(0);
    workers.finish();
    const replies = takeAll(machine, first);
    expect(replies.map(([id]) => id)).toEqual([1, 2, 3, 4]);
    expect(replies.map(([, reply]) => reply === Buffer.from(failed).toString("hex"))).toEqual([true, false, true, false]);
  });

  test("is used again, and forgets keys as before", () => {
    const { workers, machine } = setUp(1);
    nqap(machine, first, good());
    workers.die(0);
    nqap(machine, first, good());
    workers.finish();
    expect(takeAll(machine, first).map(([, reply]) => reply.slice(0, 4))).toEqual(["0088", "0080"]);
    expect(workers.caches[0]!.size).toBe(1);
    reset(machine, first);
    workers.finish();
    expect(workers.caches[0]!.size).toBe(0);
  });

  test("is given as much as before", () => {
    const { workers, machine } = setUp(1);
    for (const queue of [first, second, third]) for (let count = 0; count < depth; count++) nqap(machine, queue, messages[2]!);
    workers.die(0);
    expect(workers.tasks).toEqual([8]);
  });

  test("loses nothing of a queue that was reset before, and nothing that it had not been given", () => {
    const { workers, machine } = setUp(1);
    nqap(machine, first, messages[2]!);
    reset(machine, first);
    for (let count = 0; count < depth; count++) nqap(machine, second, messages[6]!);
    const given = workers.tasks[0]!;
    workers.die(0);
    workers.finish();
    expect(dqap(machine, first).responseCode).toBe(ResponseCode.noPendingReply);
    const lost = takeAll(machine, second).filter(([, reply]) => reply === Buffer.from(failed).toString("hex"));
    expect(lost).toHaveLength(given - 1);
  });
});
