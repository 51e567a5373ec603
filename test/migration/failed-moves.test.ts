import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { configurationFrom } from "../../src/host/configuration-file.ts";
import { guestPlaces, hostPlaces } from "../../src/host/places.ts";
import { type RunningHost, runHost } from "../../src/host/run-host.ts";

/**
 * Each chapter on failures of the document (PATCH v3 15/15, Documentation/arch/s390/vfio-ap.rst) provoked by `adjunct migrate` between two
 * hosts: its lines on the console, in the guest's logs and in the destination's kernel log. Where the newest draft and QEMU say something
 * else, `document` has what the document says, and docs/differences.md quotes both.
 */
const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const reserved = { apmask: "-5,-6", kernel: "7.2-migration" };
const machine = {
  adapters: { 5: { type: "CEX7C" }, 6: { type: "CEX7A" } },
  "usage-domains": [4],
  "control-domains": [4],
  "announces-changes": false,
};
const source = {
  name: "here",
  ...{ ...reserved, machine },
  mdevs: { [uuid]: { adapters: [5, 6], domains: [4], "control-domains": [4] } },
  guests: { guest1: { mdev: uuid } },
};
const target = { name: "there", ...{ ...reserved, machine } };

interface Chapter {
  readonly chapter: string;
  /** Of the destination's configuration. */
  readonly change?: object;
  readonly words?: readonly string[];
  /** A command of the destination before the move. */
  readonly before?: Readonly<Record<string, unknown>> & { readonly do: string };
  readonly console: string;
  readonly sourceLog: readonly string[];
  readonly targetLog: readonly string[];
  readonly kernelLog: readonly string[];
  /** What stands in the document where the lines above are others. */
  readonly document?: readonly string[];
}

const moveFailed = (problem: string): string =>
  "error: operation failed: migration failed. Message from the source host: operation failed: job 'migration out' failed: " +
  "Sibling indicated error 1. Message from the destination host: operation failed: job 'migration in' failed: load of migration failed: " +
  problem;
const sourceLog = ["initiating migration", "qemu-system-s390x: Sibling indicated error 1"];
const targetLog = [
  "initiating migration",
  "qemu-system-s390x: error while loading state section id 1(/1/vfio-ap)",
  "shutting down, reason=failed",
  `qemu-system-s390x: terminating on signal 15 from pid ${process.pid} (adjunct)`,
];
const noSuchDevice = "No such device: Failed to load vmstate version_id: 1, ret: -19";

const chapters: readonly Chapter[] = [
  {
    chapter: "The destination host is missing the mediated device",
    words: ["--no-create"],
    console: `error: device not found: mediated device '${uuid}' not found`,
    sourceLog,
    targetLog: [],
    kernelLog: [],
  },
  {
    chapter: "One or more queues are not bound to the vfio_ap driver on the destination host",
    change: { apmask: "-6" },
    console: moveFailed(noSuchDevice),
    sourceLog,
    targetLog,
    kernelLog: [`vfio_ap_mdev ${uuid}: Queue 05.0004 not available to vfio_ap driver on target host`],
  },
  {
    chapter: "Failure to get hardware information for a queue device on destination host",
    // Before the next scan.
    before: { do: "hw", action: "card remove", id: 6 },
    console: moveFailed(noSuchDevice),
    sourceLog,
    targetLog,
    kernelLog: [`vfio_ap_mdev ${uuid}: Failed to get hwinfo for queue 06.0004: TAPQ rc=1`],
    document: [
      "load of migration failed: failed to get hardware information for queue device $APQN",
      "vfio_ap_mdev $UUID: migration failed: Failed to get hwinfo for queue $APQN on target host: rc=$RESPONSE-CODE",
    ],
  },
  {
    chapter: "The AP configurations of the source guest and destination host not incompatible",
    change: { machine: { ...machine, adapters: { 5: { type: "CEX6C", functions: 0x12800000 }, 6: { type: "CEX7A" } } } },
    console: moveFailed("Invalid argument: Failed to load vmstate version_id: 1, ret: -22"),
    sourceLog,
    targetLog,
    kernelLog: [
      `vfio_ap_mdev ${uuid}: Migration failed: Source and target queue (05.0004) not compatible`,
      `vfio_ap_mdev ${uuid}: APSC facility installed in source queue 05.0004`,
      `vfio_ap_mdev ${uuid}: APSC facility not installed in target queue 05.0004`,
      `vfio_ap_mdev ${uuid}: AP type of source (0d) not compatible with target (0c)`,
    ],
    document: ["configurations that are not compatible end with `No such device`, `ret: -19`"],
  },
  {
    chapter: "(not in the document) a control domain is missing",
    change: { machine: { ...machine, "control-domains": [7] } },
    console: moveFailed(noSuchDevice),
    sourceLog,
    targetLog,
    kernelLog: [`vfio_ap_mdev: ${uuid}: Control domain 0004 not available on the destination host`],
  },
];

let folder: string;
let hosts: RunningHost[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adjunct-move-"));
  hosts = [];
  process.env.ADJUNCT_RUN_DIR = join(folder, "r");
  process.env.ADJUNCT_STATE_DIR = join(folder, "s");
});
afterEach(async () => {
  for (const host of hosts) await host.stop();
  delete process.env.ADJUNCT_RUN_DIR;
  delete process.env.ADJUNCT_STATE_DIR;
  rmSync(folder, { recursive: true, force: true });
});

async function up(configuration: object): Promise<RunningHost> {
  const host = await runHost(configurationFrom(configuration), { isMounted: false });
  hosts.push(host);
  return host;
}

/** Runs the command in this process. */
async function adjunct(...words: string[]): Promise<{ readonly status: number; readonly printed: string[]; readonly noted: string[] }> {
  const [printed, noted]: [string[], string[]] = [[], []];
  const status = await runCommandLine(words, { print: (text) => printed.push(text), note: (text) => noted.push(text) });
  return { status, printed, noted };
}

/** Without times, and without the command line that an emulator begins with. */
function logOf(host: string): string[] {
  try {
    const text = readFileSync(guestPlaces(hostPlaces(host), "guest1").log, "utf8");
    const lines = text
      .split("\n")
      .filter((line) => line !== "" && !line.endsWith("starting up") && !/^(-|qemu-system-s390x( \\)?$)/.test(line));
    return lines.map((line) => line.replace(/^\d{4}-\S+ \S+: /, ""));
  } catch {
    return [];
  }
}

const kernelErrors = async (host: RunningHost): Promise<string[]> =>
  ((await host.command({ do: "dmesg" })) as { level: number; text: string }[]).filter(({ level }) => level <= 3).map(({ text }) => text);

const state = async (host: RunningHost): Promise<unknown> => {
  const { mdevs, guests } = (await host.command({ do: "status" })) as { mdevs: unknown; guests: unknown };
  return { mdevs, guests };
};

describe("a move that fails says so as the document does, leaves the guest where it was and the destination as it was:", () => {
  test.each(chapters)("$chapter", async ({ change, words = [], before, ...expected }) => {
    const here = await up(source);
    const there = await up({ ...target, ...change });
    if (before) await there.command(before);
    const [stateHere, stateThere] = [await state(here), await state(there)];
    const { status, printed, noted } = await adjunct("migrate", "here", "guest1", "there", ...words);
    expect({ status, printed, console: noted.at(-1) }).toEqual({ status: 1, printed: [], console: expected.console });
    expect(logOf("here")).toEqual(expected.sourceLog);
    expect(logOf("there")).toEqual(expected.targetLog);
    expect(await kernelErrors(there)).toEqual(expected.kernelLog);
    expect(await state(here)).toEqual(stateHere);
    expect(await state(there)).toEqual(stateThere);
    expect(stateHere).toMatchObject({ guests: [{ name: "guest1", isRunning: true, apqns: ["05.0004", "06.0004"] }] });
    // What is quoted as the document's is nowhere here, or it is no difference.
    const differences = readFileSync(join(import.meta.dirname, "../../docs/differences.md"), "utf8");
    for (const text of expected.document ?? []) expect(differences).toContain(text);
  });
});

describe("a move", () => {
  test("makes the mediated device, takes the guest there and back, and leaves both devices with their configuration", async () => {
    const here = await up(source);
    const there = await up(target);
    const moved = await adjunct("migrate", "here", "guest1", "there");
    expect(moved).toMatchObject({ status: 0, printed: [expect.stringMatching(/^guest1 runs on there now: it stood for /)] });
    expect(await state(there)).toMatchObject({
      mdevs: [{ uuid, guestMatrix: ["05.0004", "06.0004"], inUse: true }],
      guests: [{ name: "guest1", isRunning: true }],
    });
    expect(await state(here)).toMatchObject({ mdevs: [{ uuid, matrix: ["05.0004", "06.0004"], inUse: false }], guests: [] });
    expect(logOf("here").at(-1)).toBe("shutting down, reason=migrated");
    const back = await adjunct("migrate", "there", "guest1", "here", "--json");
    const info = { status: "completed", downtime: expect.any(Number), "x-ap-downtime-us": expect.any(Number) };
    expect(JSON.parse(back.printed.join(""))).toMatchObject({ isMoved: true, info });
    expect(await state(here)).toMatchObject({ guests: [{ name: "guest1", isRunning: true }] });
    expect(await state(there)).toMatchObject({ guests: [], mdevs: [{ inUse: false }] });
  });

  test("of a guest without a device needs none", async () => {
    await up({ ...source, guests: { guest1: {} } });
    const there = await up(target);
    expect((await adjunct("migrate", "here", "guest1", "there")).status).toBe(0);
    expect(await state(there)).toMatchObject({ mdevs: [], guests: [{ name: "guest1", isRunning: true }] });
  });

  test("that is stopped while it stands stays so at the destination", async () => {
    const here = await up(source);
    const there = await up(target);
    await here.command({ do: "guest", action: "pause", guest: "guest1" });
    expect((await adjunct("migrate", "here", "guest1", "there")).status).toBe(0);
    expect(await state(there)).toMatchObject({ guests: [{ name: "guest1" }] });
  });

  test("out of a kernel that cannot is what QEMU says of the device", async () => {
    await up({ ...source, kernel: "7.2" });
    await up(target);
    const { status, noted } = await adjunct("migrate", "here", "guest1", "there");
    expect(status).toBe(1);
    expect(noted.at(-1)).toMatch(/^error: internal error: unable to execute QEMU command 'migrate': /);
  });

  test("to a host where a guest has the device is what QEMU says there", async () => {
    await up(source);
    const there = await up({ ...target, mdevs: { [uuid]: {} }, guests: { guest2: { mdev: uuid } } });
    const before = await state(there);
    const { status, noted } = await adjunct("migrate", "here", "guest1", "there");
    expect(status).toBe(1);
    expect(noted.at(-1)).toMatch(
      /^error: internal error: QEMU unexpectedly closed the monitor \(vm='guest1'\): .*Device or resource busy$/s,
    );
    expect(await state(there)).toEqual(before);
  });

  test("is not begun while a master key is being loaded, with or without holds", async () => {
    await up(source);
    const there = await up(target);
    await there.command({ do: "key", action: "load", adapter: 5, domain: 4, kind: "aes", parts: [], isPartial: true, isSet: false });
    const before = await state(there);
    for (const words of [[], ["--no-hold"]]) {
      const { status, noted } = await adjunct("migrate", "here", "guest1", "there", ...words);
      expect([status, noted.at(-1)]).toEqual([1, expect.stringMatching(/^adjunct: a master key of 05\.0004 .*is being loaded/)]);
    }
    expect(logOf("here")).toEqual([]);
    expect(await state(there)).toEqual(before);
  });

  test("of a guest that is not there is refused", async () => {
    await up(source);
    await up(target);
    expect(await adjunct("migrate", "here", "guest7", "there")).toMatchObject({
      status: 1,
      noted: [expect.stringContaining("no guest guest7")],
    });
    expect((await adjunct("migrate", "here", "guest1", "here")).status).toBe(2);
  });
});
