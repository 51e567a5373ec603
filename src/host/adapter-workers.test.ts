import { readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { generateTestKey, icaCrt, type TestKey, type50Crt } from "../../test/support/adapter-messages.ts";
import { aqic, dqap, nqap, pqap } from "../../test/support/instructions.ts";
import { startInProcess } from "../runtime/in-process.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { adapterWorkers } from "./adapter-workers.ts";
import { configurationFrom } from "./configuration-file.ts";
import { createHost } from "./create-host.ts";
import type { Host } from "./host.ts";

const configuration = configurationFrom({
  name: "lpar",
  machine: { adapters: { 5: { type: "CEX7C" }, 6: { type: "CEX7A" } }, "usage-domains": [0, 1, 2, 3] },
});
const queues = [0x0500, 0x0501, 0x0602, 0x0603];
const depth = 8;
const keys: TestKey[] = [1024, 2048].map((bits) => generateTestKey(bits));

let host: Host;
let runtime: Runtime;
let onReply: (queue: number) => void;
function start(): void {
  onReply = () => {};
  const create = (...parameters: Parameters<typeof createHost>): Host => {
    host = createHost(...parameters) as Host;
    return host;
  };
  runtime = startInProcess(create, {
    configuration: { ...configuration, rules: { modules: [] } },
    clock: "real",
    workers: adapterWorkers(),
  });
  host.machine.listen({ queueInterrupt: (queue) => onReply(queue) });
  for (const queue of queues) aqic(host.machine, queue, true);
}
afterEach(() => runtime.stop());

const threadCount = (): number => readdirSync("/proc/self/task").length;

/** A private operation, and what its reply ends with. */
function privateOperation(queue: number, index: number): { message: Buffer; end: Buffer } {
  const key = keys[index % keys.length]!;
  const value = Buffer.alloc(key.bytes, index + 1);
  value[0] = 0;
  const encrypted = key.encrypt(value);
  if (queue >= 0x0600) return { message: type50Crt(key.bytes === 128 ? 1 : 2, key, encrypted), end: value };
  return { message: icaCrt(key.bytes, key, encrypted, { domain: queue & 0xff }), end: Buffer.concat([value, Buffer.of(0, 2)]) };
}

/** Takes replies as they come until there are so many, each with its number. */
function replies(count: number): Promise<[queue: number, id: number, reply: Buffer][]> {
  const taken: [number, number, Buffer][] = [];
  return new Promise((resolve) => {
    onReply = (queue) => {
      for (let answer = dqap(host.machine, queue); answer.responseCode === 0; answer = dqap(host.machine, queue))
        taken.push([queue, answer.id[1], Buffer.from(answer.reply)]);
      if (taken.length === count) resolve(taken);
    };
  });
}

test("full queues are computed by threads: every reply is right and in its place, and no thread is left when the host has ended", async () => {
  const threadsBefore = threadCount();
  start();
  const all = replies(depth * queues.length);
  const ends = new Map<number, Buffer[]>(queues.map((queue) => [queue, []]));
  for (let id = 0; id < depth; id++) {
    for (const queue of queues) {
      const { message, end } = privateOperation(queue, id + queue);
      expect(nqap(host.machine, queue, message, { id: [0, id] }).responseCode).toBe(0);
      ends.get(queue)!.push(end);
    }
  }
  expect(threadCount()).toBeGreaterThan(threadsBefore);
  for (const queue of queues) expect(dqap(host.machine, queue).responseCode).toBe(0x10);
  for (const [queue, id, reply] of await all) {
    const end = ends.get(queue)!.shift()!;
    expect(id).toBe(depth - 1 - ends.get(queue)!.length);
    expect(reply.subarray(-end.length)).toEqual(end);
  }
  await runtime.stop();
  expect(threadCount()).toBe(threadsBefore);
});

test("a queue that is zeroized while threads work gets no reply to what was in it", async () => {
  start();
  const [queue] = queues as [number];
  for (let round = 0; round < 5; round++) {
    for (let id = 0; id < depth; id++) nqap(host.machine, queue, privateOperation(queue, id).message, { id: [0, id] });
    expect(pqap(host.machine, "zapq", { queue }).responseCode).toBe(0);
    aqic(host.machine, queue, true);
    const one = replies(1);
    const { message, end } = privateOperation(queue, round);
    nqap(host.machine, queue, message, { id: [0, 1000 + round] });
    const [[, id, reply]] = (await one) as [[number, number, Buffer]];
    expect(id).toBe(1000 + round);
    expect(reply.subarray(-end.length)).toEqual(end);
  }
});
