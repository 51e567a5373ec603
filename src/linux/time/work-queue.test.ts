import { describe, expect, test } from "vitest";
import { fail } from "../../sysfs/errno.ts";
import { Wait } from "../../sysfs/wait.ts";
import { type Job, Mutex, WorkQueue } from "./work-queue.ts";

const forever = Number.POSITIVE_INFINITY;

describe("a job", () => {
  test("that ends in its turn is an answer", () => {
    const queue = new WorkQueue();
    function* job(): Job<number> {
      yield undefined;
      return 5;
    }
    expect(queue.run(job())).toBe(5);
    expect(queue.isIdle).toBe(true);
  });

  test("that fails in its turn throws", () => {
    const queue = new WorkQueue();
    expect(() =>
      queue.run(
        (function* (): Job<void> {
          fail("EBUSY");
        })(),
      ),
    ).toThrow("EBUSY");
  });

  test("that sleeps is a wait, and goes on when it is woken and the queue works", () => {
    const queue = new WorkQueue();
    const event = new Wait<void>();
    const wait = queue.run(
      (function* (): Job<string> {
        yield event;
        return "woken";
      })(),
    ) as Wait<string>;
    expect(wait.outcome).toBeUndefined();
    event.complete(() => {});
    expect(wait.outcome).toBeUndefined();
    expect(queue.work(forever)).toBe(false);
    expect(wait.outcome).toEqual({ value: "woken" });
  });

  test("that fails after it slept ends its wait with the error", () => {
    const queue = new WorkQueue();
    const event = new Wait<void>();
    const wait = queue.run(
      (function* (): Job<void> {
        yield event;
        fail("ENODEV");
      })(),
    ) as Wait<void>;
    event.complete(() => {});
    queue.work(forever);
    expect(wait.outcome).toMatchObject({ error: { code: "ENODEV" } });
  });

  test("does not sleep on what is there already", () => {
    const event = new Wait<void>();
    event.complete(() => {});
    expect(
      new WorkQueue().run(
        (function* (): Job<number> {
          yield event;
          return 1;
        })(),
      ),
    ).toBe(1);
  });

  test("gives way when its slice is used up, and others that are ready come first", () => {
    let now = 0;
    const queue = new WorkQueue(undefined, () => now);
    const done: string[] = [];
    const job = function* (name: string): Job<void> {
      for (let step = 0; step < 3; step++) {
        now += 6;
        done.push(`${name}${step}`);
        yield undefined;
      }
    };
    queue.beginSlice(10);
    const first = queue.run(job("a")) as Wait<void>;
    expect(done).toEqual(["a0", "a1"]);
    queue.defer(() => job("b"));
    while (queue.work(10));
    expect(done).toEqual(["a0", "a1", "a2", "b0", "b1", "b2"]);
    expect(first.outcome).toEqual({ value: undefined });
  });

  test("hears of a signal to whoever waits for it", () => {
    const queue = new WorkQueue();
    const wait = queue.run(
      (function* (): Job<void> {
        yield new Wait<void>();
      })(),
      ({ pid }, own) => own.complete(() => fail(pid === 7 ? "EINTR" : "EIO")),
    ) as Wait<void>;
    wait.interrupt({ command: "sh", pid: 7 });
    expect(wait.outcome).toMatchObject({ error: { code: "EINTR" } });
  });
});

test("work belongs to the input that queued it, and so does what it queues", () => {
  let now = 0;
  const input = { number: 1 };
  const queue = new WorkQueue(input, () => now++);
  const done: string[] = [];
  const job = function* (name: string, ...children: string[]): Job<void> {
    done.push(name);
    for (const child of children) queue.defer(() => job(child));
  };
  queue.defer(() => job("a", "b"));
  input.number = 2;
  queue.defer(() => job("c"));
  queue.work(0);
  queue.work(0);
  expect([done, queue.hasWorkOf(1), queue.hasWorkOf(2)]).toEqual([["a", "c"], true, false]);
  queue.work(forever);
  expect([done, queue.hasWorkOf(1), input.number]).toEqual([["a", "c", "b"], false, 2]);
});

describe("a mutex", () => {
  test("lets one in at a time, in the order they came", () => {
    const queue = new WorkQueue();
    const mutex = new Mutex();
    const order: string[] = [];
    const events = [new Wait<void>(), new Wait<void>(), new Wait<void>()];
    const waits = events.map((event, index) =>
      queue.run(
        mutex.hold(function* (): Job<void> {
          order.push(`in ${index}`);
          yield event;
          order.push(`out ${index}`);
        }),
      ),
    ) as Wait<void>[];
    expect(order).toEqual(["in 0"]);
    for (const event of [...events].reverse()) event.complete(() => {});
    queue.work(forever);
    expect(order).toEqual(["in 0", "out 0", "in 1", "out 1", "in 2", "out 2"]);
    expect(waits.every((wait) => wait.outcome)).toBe(true);
  });

  test("is free again after a failure", () => {
    const queue = new WorkQueue();
    const mutex = new Mutex();
    const failing = () =>
      queue.run(
        mutex.hold(function* (): Job<void> {
          fail("EINVAL");
        }),
      );
    expect(failing).toThrow("EINVAL");
    expect(failing).toThrow("EINVAL");
  });
});
