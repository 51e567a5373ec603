import { execFileSync } from "node:child_process";
import { adapterWorkers } from "../src/host/adapter-workers.ts";
import { startInProcess } from "../src/runtime/in-process.ts";
import { randomLong } from "../test/support/adapter-messages.ts";
import { crtMessages } from "./crt-messages.ts";
import { LoadedMachine, type LoadResult } from "./loaded-machine.ts";
import type { Measurement } from "./measurement.ts";

/**
 * RSA of 2048 bits through NQAP and DQAP, several queues full, against `openssl speed` with as many processes as there are workers; and
 * messages that need no worker. Short runs take turns, and of each the best counts: the one that the rest of the machine disturbed least.
 */
const rounds = 9;
const runSeconds = 1;
const warmUpRounds = 3;
/** What a worker's cache holds: a key is fresh when more others than these came since. */
const cachedKeys = 256;

export async function measureAdapters(): Promise<Measurement[]> {
  const workers = adapterWorkers();
  const messages = crtMessages((cachedKeys + 50) * workers.count);
  const runtime = startInProcess((_configuration, _emit, given) => new LoadedMachine(given!), {
    ...{ configuration: {}, clock: "real", workers },
  });
  const perSecond = async (load: object): Promise<number> => {
    const { replies, tookMs } = (await runtime.command({ forMs: 1000 * runSeconds, ...load })) as LoadResult;
    return (replies / tookMs) * 1000;
  };
  const compare = async (load: object): Promise<{ own: number; ratio: number }> => {
    // Also long enough that a key that comes again is known and proven.
    for (let round = 0; round < warmUpRounds; round++) await perSecond(load);
    let [own, openssl] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      openssl = Math.max(openssl, opensslSigns(workers.count));
      own = Math.max(own, await perSecond(load));
    }
    return { own, ratio: own / openssl };
  };
  try {
    const repeated = await compare({ next: (_count: number, queue: number) => messages[queue & 0xff] });
    const fresh = await compare({ next: (count: number) => messages[count % messages.length] });
    const name = `RSA-2048 CRT by ${workers.count} worker${workers.count === 1 ? "" : "s"}`;
    return [
      { name: `${name}, the same key`, value: repeated.own, unit: "/s" },
      { name: `${name}, the same key, against openssl speed`, value: repeated.ratio, unit: "times", atLeast: 0.85 },
      { name: `${name}, a fresh key each time`, value: fresh.own, unit: "/s" },
      { name: `${name}, a fresh key each time, against openssl speed`, value: fresh.ratio, unit: "times", atLeast: 0.4 },
      { name: "messages that need no worker (32 random bytes), sent and answered", value: await quickMessages(perSecond), unit: "/s" },
    ];
  } finally {
    await runtime.stop();
  }
}

/** Private operations a second, by time and not by processor time, as ours are counted. */
function opensslSigns(processes: number): number {
  const words = ["speed", "-elapsed", "-seconds", String(runSeconds), "-multi", String(processes), "rsa2048"];
  const output = execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const row = /^rsa 2048 bits +\S+ +\S+ +([0-9.]+)/m.exec(output)?.[1];
  if (row === undefined) throw new Error("openssl speed printed no row for rsa 2048");
  return Number(row);
}

async function quickMessages(perSecond: (load: object) => Promise<number>): Promise<number> {
  const message = randomLong({ domain: 0, replyDataBytes: 32 });
  let best = 0;
  for (let round = 0; round < rounds; round++) best = Math.max(best, await perSecond({ message }));
  return best;
}
