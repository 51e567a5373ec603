import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { cachedGuestImage, guestImagesFolder, StockGuest } from "../test/guests/stock-guest.ts";
import { type Measurement, median } from "./measurement.ts";

/**
 * Real guests: cards against the same guest's software, the time to the shell prompt, and what a guest that leaves its cards alone pays. Times are
 * those of this machine's clock: a guest's own stands while an AP instruction is answered.
 */
const adjunct = join(import.meta.dirname, "../bin/adjunct");
const [used, spare] = ["11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"];
const speedSeconds = 3;
const rounds = 5;

export async function measureRealGuests(folder: string): Promise<Measurement[]> {
  const image = cachedGuestImage("debian-12");
  const host = new BenchHost(folder);
  await host.up();
  try {
    await host.inGuest("true");
    return [...(await cardAgainstSoftware(host)), ...(await besideStock(host)), ...(await boots(host, image))];
  } finally {
    await host.down();
  }
}

/** One operation after the other, as `openssl speed` does. */
async function cardAgainstSoftware(host: BenchHost): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const [bits, atLeast] of [
    [2048, 2],
    [4096, 5],
  ] as const) {
    const ratios: number[] = [];
    const card: number[] = [];
    for (let round = 0; round < 3; round++) {
      const software = await host.privateOperations(bits);
      card.push(await host.requestsPerSecond(bits));
      ratios.push(card.at(-1)! / software);
    }
    measurements.push({ name: `real guest: RSA-${bits} private by the card`, value: median(card), unit: "/s" });
    measurements.push({ name: `real guest: RSA-${bits} private, card against software`, value: median(ratios), unit: "times", atLeast });
  }
  // Each request is put in and taken out.
  measurements.push({ name: "real guest: AP instructions", value: 2 * (await host.requestsPerSecond(1024)), unit: "/s" });
  return measurements;
}

/**
 * Programs that have nothing to do with AP, in a guest with cards and in one under QEMU as it comes. Of each the best run counts: under QEMU alone,
 * too, a shell loop takes twenty times as long in some runs as in others.
 */
async function besideStock(host: BenchHost): Promise<Measurement[]> {
  const stock = await StockGuest.start(cachedGuestImage("debian-12"));
  const loads = { "openssl sha256": opensslLoad, "a shell loop": shellLoad };
  const measurements: Measurement[] = [];
  try {
    for (const [name, script] of Object.entries(loads)) {
      let [ofStock, own] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let round = 0; round < besideRounds; round++) {
        ofStock = Math.min(ofStock, await betweenOutputs((onOutput) => stock.run(marked(script), { onOutput })));
        own = Math.min(own, await betweenOutputs((onOutput) => host.inGuest(marked(script), onOutput)));
      }
      measurements.push({ name: `real guest without AP use: ${name}`, value: own, unit: "ms" });
      measurements.push({
        name: `real guest without AP use: ${name}, against stock QEMU`,
        value: own / ofStock,
        unit: "times",
        limit: 1.03,
      });
    }
  } finally {
    await stock.close();
  }
  return measurements;
}

/** The same work each time. */
const opensslLoad = "dd if=/dev/zero bs=1M count=30 2>/dev/null | openssl sha256 >/dev/null";
const shellLoad = "i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done";
const besideRounds = 15;

const marked = (script: string): string => `echo begin; ${script}; echo end`;

/** Milliseconds from a program's first output to its last. */
async function betweenOutputs(run: (onOutput: () => void) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  await run(() => void times.push(performance.now()));
  return times.at(-1)! - times[0]!;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

async function boots(host: BenchHost, { kernel, initrd, commandLine }: ReturnType<typeof cachedGuestImage>): Promise<Measurement[]> {
  const common = [
    "-m",
    "512",
    "-display",
    "none",
    "-serial",
    "stdio",
    "-monitor",
    "none",
    "-kernel",
    kernel,
    "-initrd",
    initrd,
    "-append",
    commandLine,
  ];
  const ours = [
    ...["exec", "bench", "--", "qemu-system-s390x", "-name", "spare", "-cpu", "host,ap=on,apqci=on,apft=on", ...common],
    ...["-device", `vfio-ap,sysfsdev=/sys/devices/vfio_ap/matrix/${spare}`],
  ];
  const [stockMs, oursMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    stockMs.push(await promptMs(spawn("qemu-system-s390x", ["-cpu", "max", ...common])));
    oursMs.push(await promptMs(host.spawn(ours)));
  }
  const more = median(oursMs.map((value, round) => value - stockMs[round]!));
  return [
    { name: "boot to the shell prompt: stock QEMU", value: median(stockMs), unit: "ms" },
    { name: "boot to the shell prompt: with cards, more than stock QEMU", value: more, unit: "ms", limit: 1500 },
  ];
}

/** Until the console shows the prompt of the image's shell; ends the machine. */
async function promptMs(machine: ChildProcess): Promise<number> {
  const start = performance.now();
  let shown = "";
  const ended = new Promise((resolve) => machine.once("exit", resolve));
  const prompt = new Promise<void>((resolve, reject) => {
    machine.stdout?.on("data", (bytes: Buffer) => {
      shown += bytes;
      if (/guest:\S*[#$] /.test(shown)) resolve();
    });
    void ended.then(() => reject(new Error(`the machine ended before its prompt: ${shown.slice(-400)}`)));
  });
  await prompt;
  const took = performance.now() - start;
  machine.kill("SIGTERM");
  await ended;
  return took;
}

class BenchHost {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #file: string;

  constructor(folder: string) {
    this.#environment = {
      ...process.env,
      ADJUNCT_RUN_DIR: join(folder, "real-run"),
      ADJUNCT_STATE_DIR: join(folder, "real-state"),
      ADJUNCT_GUEST_IMAGES_DIR: guestImagesFolder,
    };
    this.#file = join(folder, "bench.yaml");
    const mdevs = `  ${used}: { adapters: [5, 6], domains: [4] }\n  ${spare}: { adapters: [5, 6], domains: [5] }`;
    const guest = `g: { cpu: "host,ap=on,apqci=on,apft=on", mdev: ${used}, linux: debian-12 }`;
    const machine = "machine:\n  adapters: { 5: { type: CEX8C }, 6: { type: CEX8A } }\n  usage-domains: [4, 5]\n";
    writeFileSync(this.#file, `name: bench\n${machine}apmask: "-5,-6"\nmdevs:\n${mdevs}\nguests:\n  ${guest}\n`);
  }

  spawn(words: readonly string[]): ChildProcess {
    return spawn(process.execPath, [adjunct, ...words], { env: this.#environment, stdio: ["ignore", "pipe", "inherit"] });
  }

  async up(): Promise<void> {
    await this.#run(["up", this.#file, "--detach"]);
  }

  async down(): Promise<void> {
    await this.#run(["down", "bench"]);
  }

  /** What a script in the guest prints. */
  inGuest(script: string, onOutput?: () => void): Promise<string> {
    return this.#run(["exec", "bench", "--guest", "g", "--", "sh", "-c", script], onOutput);
  }

  /** By the guest's own software: its clock is right as long as it leaves the cards alone. */
  async privateOperations(bits: number): Promise<number> {
    const text = await this.inGuest(`openssl speed -mr -seconds ${speedSeconds} -elapsed rsa${bits} 2>&1`);
    const [, count, seconds] = /^\+R1:(\d+):\d+:([\d.]+)/m.exec(text) ?? [];
    if (count === undefined) throw new Error(`openssl speed counted nothing: ${text}`);
    return Number(count) / Number(seconds);
  }

  /** Of private operations by the accelerator; openssl speed begins with these, for as long as we look. */
  async requestsPerSecond(bits: number): Promise<number> {
    const words = ["exec", "bench", "--guest", "g", "--", "openssl", "speed", "-seconds", "1000", "-engine", "ibmca", `rsa${bits}`];
    const speed = spawn(process.execPath, [adjunct, ...words], { env: this.#environment, stdio: "ignore" });
    const ended = new Promise<void>((resolve) => void speed.once("exit", () => resolve()));
    const requests = async (): Promise<number> => Number(await this.inGuest("cat /sys/devices/ap/card06/request_count"));
    const before = await requests();
    let first = before;
    // A key is made first.
    while (first < before + 10) {
      if (speed.exitCode !== null) throw new Error(`openssl speed ended with ${speed.exitCode}`);
      first = await requests();
    }
    let count = 0;
    const tookMs = await timed(async () => {
      await wait(1000 * speedSeconds);
      count = (await requests()) - first;
    });
    speed.kill("SIGTERM");
    await ended;
    return count / (tookMs / 1000);
  }

  async #run(words: readonly string[], onOutput?: () => void): Promise<string> {
    const child = this.spawn(words);
    let text = "";
    child.stdout?.on("data", (bytes: Buffer) => {
      text += bytes;
      onOutput?.();
    });
    const status = await new Promise((resolve) => child.once("close", resolve));
    if (status !== 0) throw new Error(`adjunct ${words.join(" ")} ended with ${status}`);
    return text;
  }
}
