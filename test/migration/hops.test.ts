import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compiledProgram, whyNoPrograms } from "../guests/programs.ts";
import { whyNoGuests } from "../guests/stock-guest.ts";
import { generateTestKey } from "../support/adapter-messages.ts";
import { freeQueues, type Hop, HostPair, hostNames, otherThan, prefer, uuid } from "./host-processes.ts";

/** A guest that signs and verifies all the time moves back and forth between two hosts. ADJUNCT_RUNS multiplies how often. */
const hops = 5 * Number(process.env.ADJUNCT_RUNS ?? 1);
const mostApDowntimeMs = 20;

vi.setConfig({ testTimeout: hops * 60_000 });

let hosts: HostPair;
beforeEach(() => {
  hosts = new HostPair();
});
afterEach(() => hosts.close());

const median = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[values.length >> 1]!;

/** What a guest's program counted. */
interface Count {
  readonly bootId: string;
  readonly rounds: number;
  readonly wrong: number;
  readonly again: number;
}

interface Kind {
  readonly kind: string;
  readonly guest: string;
  readonly reason: string | undefined;
  /** Until it signs. */
  readonly start: () => Promise<void>;
  /** Now, and again when it did something since. */
  readonly counts: (host: (typeof hostNames)[number]) => Promise<readonly [Count, Count]>;
}

const kinds: readonly Kind[] = [
  {
    kind: "model",
    guest: `guest1: { cpu: "host,ap=on,apqci=on,apft=on,apqi=on", mdev: ${uuid} }`,
    reason: undefined,
    async start() {
      const { status, stderr } = await hosts.sandbox.adjunct("crypto", "here", "--guest", "guest1", "loop");
      if (status !== 0) throw new Error(stderr);
    },
    async counts(host) {
      const show = async (): Promise<Count> => {
        const report = (await hosts.ask(host, { do: "loop", guest: "guest1", action: "show" })) as Record<string, unknown>;
        if (report.state !== "running") throw new Error(JSON.stringify(report));
        const { bootId, signatures, wrong, sentAgain } = report as Readonly<Record<string, string & number>>;
        return { bootId: bootId!, rounds: signatures!, wrong: wrong!, again: sentAgain! };
      };
      const first = await show();
      for (;;) {
        const next = await show();
        if (next.rounds > first.rounds) return [first, next];
      }
    },
  },
  {
    kind: "real",
    guest: `guest1: { cpu: "host,ap=on,apqci=on,apft=on", mdev: ${uuid}, linux: debian-12, memory: 256 }`,
    reason: whyNoGuests() ?? whyNoPrograms(),
    async start() {
      const place = "cat >/usr/bin/signatures && chmod 755 /usr/bin/signatures";
      expect(await hosts.inGuest("here", place, compiledProgram("signatures"))).toBe("");
      const { bytes, n, e, p, q, dp, dq, u } = generateTestKey(1024);
      const digits = (part: Uint8Array, length: number): string =>
        Buffer.from(part)
          .toString("hex")
          .padStart(2 * length, "0");
      const key = [n, e].map((part) => digits(part, bytes)).concat([p, q, dp, dq, u].map((part) => digits(part, bytes / 2)));
      const run =
        "cat >/tmp/key; setsid signatures </tmp/key >/tmp/counts 2>&1 & echo $! >/tmp/pid; until [ -s /tmp/counts ]; do sleep 0.1; done";
      expect(await hosts.inGuest("here", run, `${key.join(" ")}\n`)).toBe("");
    },
    async counts(host) {
      const show = "tail -n1 /tmp/counts";
      const wait = `n=$(wc -l </tmp/counts); while [ $(wc -l </tmp/counts) = $n ] && kill -0 $(cat /tmp/pid); do sleep 0.1; done`;
      const text = await hosts.inGuest(host, `cat /proc/sys/kernel/random/boot_id; ${show}; ${wait}; ${show}`);
      const [bootId = "", ...lines] = text.trim().split("\n");
      const [first, next] = lines.map((line): Count => {
        const [rounds = Number.NaN, wrong = Number.NaN, again = Number.NaN] = line.split(" ").map(Number);
        return { bootId, rounds, wrong, again };
      });
      if (!first || !next) throw new Error(text);
      return [first, next];
    },
  },
];

describe.each(kinds)("a $kind guest that signs and verifies", ({ kind, guest, reason, start, counts }) => {
  test(`moves ${hops} times, goes on each time without a wrong result, and leaves its queues reset and free`, async ({ skip }) => {
    if (reason !== undefined) skip(reason);
    await hosts.up([guest]);
    await start();
    const isPreferred = prefer(hosts.pids.values());
    let [last] = await counts("here");
    const taken: Hop[] = [];
    for (let hop = 0; hop < hops; hop++) {
      const from = hostNames[hop % 2]!;
      const to = otherThan(from);
      taken.push(await hosts.hop(from));
      expect(await hosts.queues(from)).toEqual(freeQueues);
      expect([await hosts.guests(from), (await hosts.guests(to)).map(({ isRunning }) => isRunning)]).toEqual([[], [true]]);
      const [first, next] = await counts(to);
      expect({ bootId: first.bootId, wrong: next.wrong }).toEqual({ bootId: last.bootId, wrong: 0 });
      expect(first.rounds).toBeGreaterThanOrEqual(last.rounds);
      expect(next.rounds).toBeGreaterThan(first.rounds);
      last = next;
    }
    const apMs = taken.map(({ info }) => info["x-ap-downtime-us"] / 1000);
    const wholeMs = taken.map(({ info }) => info.downtime);
    const figures = (values: readonly number[]): string =>
      `median ${median(values).toFixed(1)} ms, at most ${Math.max(...values).toFixed(1)} ms`;
    console.log(
      `hops: ${hops} of a ${kind} guest, ${last.rounds} rounds, ${last.wrong} wrong, ${last.again} sent again; ` +
        `its AP part stood for ${figures(apMs)}; the guest stood for ${figures(wholeMs)}${isPreferred ? "" : "; beside everything else that ran"}`,
    );
    expect(median(apMs)).toBeLessThanOrEqual(mostApDowntimeMs);
  });
});
