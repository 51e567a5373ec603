import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { kernelErrors, machine, source, stateOf, target, useTwoHosts, uuid } from "./two-hosts.ts";

/**
 * Each chapter on failures of the document (PATCH v3 15/15, Documentation/arch/s390/vfio-ap.rst) provoked by `adjunct migrate` between two
 * hosts: its lines on the console, in the guest's logs and in the destination's kernel log. Where the newest draft and QEMU say something
 * else, `document` has what the document says, and docs/differences.md quotes both.
 */
const hosts = useTwoHosts();

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

describe("a move that fails says so as the document does, leaves the guest where it was and the destination as it was:", () => {
  test.each(chapters)("$chapter", async ({ change, words = [], before, ...expected }) => {
    const here = await hosts.current.up(source);
    const there = await hosts.current.up({ ...target, ...change });
    if (before) await there.command(before);
    const [stateHere, stateThere] = [await stateOf(here), await stateOf(there)];
    const { status, printed, noted } = await hosts.current.adjunct("migrate", "here", "guest1", "there", ...words);
    expect({ status, printed, console: noted.at(-1) }).toEqual({ status: 1, printed: [], console: expected.console });
    expect(hosts.current.logOf("here")).toEqual(expected.sourceLog);
    expect(hosts.current.logOf("there")).toEqual(expected.targetLog);
    expect(await kernelErrors(there)).toEqual(expected.kernelLog);
    expect(await stateOf(here)).toEqual(stateHere);
    expect(await stateOf(there)).toEqual(stateThere);
    expect(stateHere).toMatchObject({ guests: [{ name: "guest1", isRunning: true, apqns: ["05.0004", "06.0004"] }] });
    // What is quoted as the document's is nowhere here, or it is no difference.
    const differences = readFileSync(join(import.meta.dirname, "../../docs/differences.md"), "utf8");
    for (const text of expected.document ?? []) expect(differences).toContain(text);
  });
});

describe("a move", () => {
  test("makes the mediated device, takes the guest there and back, and leaves both devices with their configuration", async () => {
    const here = await hosts.current.up(source);
    const there = await hosts.current.up(target);
    const moved = await hosts.current.adjunct("migrate", "here", "guest1", "there");
    expect(moved).toMatchObject({ status: 0, printed: [expect.stringMatching(/^guest1 runs on there now: it stood for /)] });
    expect(await stateOf(there)).toMatchObject({
      mdevs: [{ uuid, guestMatrix: ["05.0004", "06.0004"], inUse: true }],
      guests: [{ name: "guest1", isRunning: true }],
    });
    expect(await stateOf(here)).toMatchObject({ mdevs: [{ uuid, matrix: ["05.0004", "06.0004"], inUse: false }], guests: [] });
    expect(hosts.current.logOf("here").at(-1)).toBe("shutting down, reason=migrated");
    const back = await hosts.current.adjunct("migrate", "there", "guest1", "here", "--json");
    const info = { status: "completed", downtime: expect.any(Number), "x-ap-downtime-us": expect.any(Number) };
    expect(JSON.parse(back.printed.join(""))).toMatchObject({ isMoved: true, info });
    expect(await stateOf(here)).toMatchObject({ guests: [{ name: "guest1", isRunning: true }] });
    expect(await stateOf(there)).toMatchObject({ guests: [], mdevs: [{ inUse: false }] });
  });

  test("of a guest without a device needs none", async () => {
    await hosts.current.up({ ...source, guests: { guest1: {} } });
    const there = await hosts.current.up(target);
    expect((await hosts.current.adjunct("migrate", "here", "guest1", "there")).status).toBe(0);
    expect(await stateOf(there)).toMatchObject({ mdevs: [], guests: [{ name: "guest1", isRunning: true }] });
  });

  test("that is stopped while it stands stays so at the destination", async () => {
    const here = await hosts.current.up(source);
    const there = await hosts.current.up(target);
    await here.command({ do: "guest", action: "pause", guest: "guest1" });
    expect((await hosts.current.adjunct("migrate", "here", "guest1", "there")).status).toBe(0);
    expect(await stateOf(there)).toMatchObject({ guests: [{ name: "guest1" }] });
  });

  test("out of a kernel that cannot is what QEMU says of the device", async () => {
    await hosts.current.up({ ...source, kernel: "7.2" });
    await hosts.current.up(target);
    const { status, noted } = await hosts.current.adjunct("migrate", "here", "guest1", "there");
    expect(status).toBe(1);
    expect(noted.at(-1)).toMatch(/^error: internal error: unable to execute QEMU command 'migrate': /);
  });

  test("to a host where a guest has the device is what QEMU says there", async () => {
    await hosts.current.up(source);
    const there = await hosts.current.up({ ...target, mdevs: { [uuid]: {} }, guests: { guest2: { mdev: uuid } } });
    const before = await stateOf(there);
    const { status, noted } = await hosts.current.adjunct("migrate", "here", "guest1", "there");
    expect(status).toBe(1);
    expect(noted.at(-1)).toMatch(
      /^error: internal error: QEMU unexpectedly closed the monitor \(vm='guest1'\): .*Device or resource busy$/s,
    );
    expect(await stateOf(there)).toEqual(before);
  });

  test("is not begun while a master key is being loaded, with or without holds", async () => {
    await hosts.current.up(source);
    const there = await hosts.current.up(target);
    await there.command({ do: "key", action: "load", adapter: 5, domain: 4, kind: "aes", parts: [], isPartial: true, isSet: false });
    const before = await stateOf(there);
    for (const words of [[], ["--no-hold"]]) {
      const { status, noted } = await hosts.current.adjunct("migrate", "here", "guest1", "there", ...words);
      expect([status, noted.at(-1)]).toEqual([1, expect.stringMatching(/^adjunct: a master key of 05\.0004 .*is being loaded/)]);
    }
    expect(hosts.current.logOf("here")).toEqual([]);
    expect(await stateOf(there)).toEqual(before);
  });

  test("of a guest that is not there is refused", async () => {
    await hosts.current.up(source);
    await hosts.current.up(target);
    expect(await hosts.current.adjunct("migrate", "here", "guest7", "there")).toMatchObject({
      status: 1,
      noted: [expect.stringContaining("no guest guest7")],
    });
    expect((await hosts.current.adjunct("migrate", "here", "guest1", "here")).status).toBe(2);
  });
});
