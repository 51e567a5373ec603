import { describe, expect, test } from "vitest";
import { TestHost, type TestHostOptions } from "../../../test/support/test-host.ts";
import type { AdapterProcessor } from "../../machine/adapter/processor.ts";
import { adapterProfile } from "../../machine/adapter-profile.ts";

/** One queue of depth 2 of the host's own, and an adapter that replies when told to. */
function oneQueue(options: TestHostOptions = {}) {
  const waiting: ((reply: Uint8Array) => void)[] = [];
  const seen: number[] = [];
  const processor: AdapterProcessor = ({ message }, reply) => {
    seen.push(message[0] ?? -1);
    waiting.push(reply);
  };
  const host = new TestHost({ adapters: { 5: { ...adapterProfile(13, "cca"), depth: 2 } }, usage: [4], processor, ...options });
  const queue = host.host.linux.bus.queues.get(0x504)!;
  const outcomes: string[] = [];
  const send = (byte: number, length = 1): void => {
    queue.machine.send({
      message: new Uint8Array(length).fill(byte),
      isSpecial: false,
      settle: (outcome) => outcomes.push("reply" in outcome ? `${byte} -> ${outcome.reply[0]}` : `${byte} ${outcome.error.code}`),
    });
  };
  /** The adapter answers the oldest message. */
  const reply = (byte: number): void => {
    waiting.shift()?.(Uint8Array.of(byte));
    host.advance(1);
  };
  const file = (name: string): string => host.read(`/sys/bus/ap/devices/05.0004/${name}`).trim();
  const counts = (): string => ["request_count", "requestq_count", "pendingq_count"].map(file).join(" ");
  return { host, queue, machine: queue.machine, send, reply, outcomes, seen, file, counts };
}

describe.each([
  ["by interrupt", {}],
  ["by polling", { cmdline: "ap.useirq=0" }],
] as const)("messages over a queue, replies found %s", (_title, options) => {
  test("go in as far as the queue is deep, wait, and come back in order", () => {
    const { machine, send, reply, outcomes, counts, file, seen } = oneQueue(options);
    expect([machine.deviceState, machine.machineState]).toEqual(["OPERATING", "IDLE"]);
    send(1);
    expect([machine.machineState, counts()]).toEqual(["WORKING", "1 0 1"]);
    expect(file("reset")).toBe("Reset Timer armed.");
    send(2);
    send(3);
    expect([machine.machineState, counts()]).toEqual(["FULL", "3 1 2"]);
    expect(seen).toEqual([1, 2]);
    reply(11);
    expect([outcomes.splice(0), machine.machineState, counts()]).toEqual([["1 -> 11"], "FULL", "3 0 2"]);
    reply(12);
    expect([outcomes.splice(0), machine.machineState, counts()]).toEqual([["2 -> 12"], "WORKING", "3 0 1"]);
    reply(13);
    expect([outcomes, machine.machineState, counts()]).toEqual([["3 -> 13"], "IDLE", "3 0 0"]);
    expect(file("reset")).toBe("No Reset Timer set.");
  });

  test("that are too big for the adapter fail alone with EINVAL", () => {
    const { send, reply, outcomes, machine } = oneQueue(options);
    send(1, 12 * 1024 + 1);
    send(2);
    reply(9);
    expect(outcomes).toEqual(["1 EINVAL", "2 -> 9"]);
    expect(machine).toMatchObject({ deviceState: "OPERATING", lastError: 0 });
  });

  test("end with EAGAIN when the queue is reset by its file, and a late reply finds nobody", () => {
    const { host, send, reply, outcomes, machine, file } = oneQueue({ ...options, machine: { resetDurationMs: 100 } });
    send(1);
    send(2);
    send(3);
    expect(host.host.write("/sys/bus/ap/devices/05.0004/reset", "1\n")).toBeUndefined();
    expect(outcomes.splice(0)).toEqual(["1 EAGAIN", "2 EAGAIN", "3 EAGAIN"]);
    expect([machine.machineState, file("reset")]).toEqual(["RESET_WAIT", "Reset in progress."]);
    host.advance(99);
    expect(machine.machineState).toBe("RESET_WAIT");
    host.advance(41);
    expect(machine.machineState).toBe("IDLE");
    reply(11);
    send(4);
    reply(99);
    reply(14);
    expect(outcomes).toEqual(["4 -> 14"]);
  });

  test.each([
    ["deconfigured", 3],
    ["checkstopped", 4],
  ] as const)("end with EAGAIN when the adapter is %s, and are refused with ENODEV until it is back", (state, code) => {
    const { host, send, reply, outcomes, machine } = oneQueue(options);
    const change = (isGone: boolean): void =>
      host.hardware((hardware) => (code === 3 ? hardware.setConfigured(5, !isGone) : hardware.setCheckstop(5, isGone)));
    send(1);
    change(true);
    expect(outcomes.splice(0)).toEqual(["1 EAGAIN"]);
    expect(machine).toMatchObject({ deviceState: "ERROR", lastError: code });
    expect(() => send(2)).toThrow("ENODEV");
    change(false);
    expect(machine).toMatchObject({ deviceState: "OPERATING", machineState: "IDLE", lastError: 0 });
    send(3);
    reply(8);
    reply(13);
    expect(outcomes).toEqual(["3 -> 13"]);
    expect(state).toBeTruthy();
  });
});

describe("an adapter that answers at once", () => {
  test.each([
    ["interrupts", {}],
    ["is polled", { cmdline: "ap.useirq=0" }],
  ] as const)("and %s: each message is sent once and answered once, also by who sends the next from there", (_title, options) => {
    const seen: number[] = [];
    const host = new TestHost({
      adapters: { 5: "CEX7C" },
      usage: [4],
      processor: ({ message }, reply) => {
        seen.push(message[0] ?? -1);
        reply(message);
      },
      ...options,
    });
    const { machine } = host.host.linux.bus.queues.get(0x504)!;
    const replies: number[] = [];
    const send = (byte: number): void =>
      machine.send({
        message: Uint8Array.of(byte),
        isSpecial: false,
        settle: (outcome) => {
          if ("reply" in outcome) replies.push(outcome.reply[0] ?? -1);
          if (byte < 3) send(byte + 1);
        },
      });
    send(1);
    host.advance(10);
    expect([seen, replies, machine.machineState]).toEqual([[1, 2, 3], [1, 2, 3], "IDLE"]);
  });
});

describe("a request that nobody waits for any more", () => {
  test("is gone from the counts; its place in the queue is free when its reply has come", () => {
    const { machine, host, reply, outcomes, counts, seen } = oneQueue();
    const requests = [1, 2, 3].map((byte) => ({
      message: Uint8Array.of(byte),
      isSpecial: false,
      settle: (outcome: object) => outcomes.push(`${byte} ${Object.keys(outcome)[0]}`),
    }));
    for (const request of requests) machine.send(request);
    expect(counts()).toBe("3 1 2");
    for (const request of requests.slice(0, 2)) machine.cancel(request);
    expect([counts(), machine.machineState, seen]).toEqual(["3 1 0", "FULL", [1, 2]]);
    reply(11);
    reply(12);
    reply(13);
    expect([outcomes, counts(), machine.machineState]).toEqual([["3 reply"], "3 0 0", "IDLE"]);
    machine.send(requests[0]!);
    machine.cancel(requests[0]!);
    machine.cancel(requests[0]!);
    host.advance(1);
    expect(counts()).toBe("4 0 0");
  });
});

test("messages that an adapter forgot, since somebody else reset its queue, are sent again", () => {
  const { host, machine, send, reply, outcomes, seen } = oneQueue();
  send(1);
  send(2);
  host.host.linux.bus.instructions.rapq(0x504);
  machine.run();
  expect([seen, machine.machineState]).toEqual([[1, 2, 1, 2], "FULL"]);
  for (const byte of [8, 8, 11, 12]) reply(byte);
  machine.run();
  expect(outcomes).toEqual(["1 -> 11", "2 -> 12"]);
});

describe("the life of a queue", () => {
  test("begins with a reset, waits for it, and switches its interrupt on", () => {
    const { host, machine, file } = oneQueue({ machine: { resetDurationMs: 100 } });
    machine.reset();
    expect(machine.machineState).toBe("RESET_WAIT");
    host.advance(120);
    expect([machine.machineState, machine.isInterruptOn, file("interrupt")]).toEqual(["IDLE", true, "Interrupts enabled."]);
  });

  test("ends with its driver: messages come back with EAGAIN, ZAPQ, and new ones are refused", () => {
    const { host, send, outcomes, machine, file } = oneQueue();
    send(1);
    host.resets();
    host.write("/sys/bus/ap/drivers/cex4queue/unbind", "05.0004");
    expect(outcomes).toEqual(["1 EAGAIN"]);
    expect(host.resets()).toEqual(["ZAPQ 05.0004"]);
    expect([machine.deviceState, file("request_count"), file("requestq_count"), file("pendingq_count")]).toEqual([
      "UNINITIATED",
      "-",
      "0",
      "0",
    ]);
    expect(() => send(2)).toThrow("ENODEV");
    host.write("/sys/bus/ap/drivers/cex4queue/bind", "05.0004");
    expect([machine.deviceState, file("request_count")]).toEqual(["OPERATING", "1"]);
  });

  test("a message that nobody answers resets the queue after fifteen minutes", () => {
    const { host, send, outcomes, machine } = oneQueue();
    send(1);
    host.resets();
    host.advance(899_999);
    expect([outcomes, machine.machineState]).toEqual([[], "WORKING"]);
    host.advance(100);
    expect(outcomes).toEqual(["1 EAGAIN"]);
    expect(host.resets()).toEqual(["RAPQ 05.0004"]);
    expect(machine.machineState).toBe("IDLE");
  });

  test("an adapter that goes while a message is put in makes an error of it, not a lost message", () => {
    const { host, send, outcomes, machine } = oneQueue({ machine: { announcesChanges: false } });
    host.host.machine.setConfigured(5, false);
    send(1);
    expect(outcomes).toEqual(["1 EAGAIN"]);
    expect(machine).toMatchObject({ deviceState: "ERROR", lastError: 3 });
  });

  test("counts go back to zero by a write to the queue's or the card's file", () => {
    const { host, send, reply, file } = oneQueue();
    send(1);
    reply(1);
    const card = "/sys/bus/ap/devices/card05/request_count";
    expect([file("request_count"), host.read(card)]).toEqual(["1", "1\n"]);
    host.write("/sys/bus/ap/devices/05.0004/request_count", "anything");
    expect([file("request_count"), host.read(card)]).toEqual(["0", "1\n"]);
    send(2);
    host.write(card, "0\n");
    expect([file("request_count"), host.read(card), host.read("/sys/bus/ap/devices/card05/pendingq_count")]).toEqual(["0", "0\n", "1\n"]);
  });

  test("switching it offline ends its messages with EAGAIN", () => {
    const { host, send, outcomes } = oneQueue();
    send(1);
    host.write("/sys/bus/ap/devices/05.0004/online", "0\n");
    expect(outcomes).toEqual(["1 EAGAIN"]);
  });
});

test("a queue that has no driver answers reset with the state it is in", () => {
  const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4], modules: [] });
  host.write("/sys/bus/ap/apmask", "-5\n");
  const reset = "/sys/bus/ap/devices/05.0004/reset";
  expect(host.write(reset, "1\n")).toBe("done");
  expect(host.read(reset)).toBe("Reset in progress.\n");
});
