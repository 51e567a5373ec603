import { describe, expect, test, vi } from "vitest";
import type { LoopReport } from "../../src/host/loop-commands.ts";
import { type Outcome, useSandbox } from "./sandbox.ts";

const sandbox = useSandbox();
const crypto = (...words: string[]): Promise<Outcome> => sandbox.current.adjunct("crypto", "zc", ...words);

/** Cards 5, 6 and 8 are the host's own, card 7 its guest's. */
const description = `
name: zc
modules: [vfio_ap]
machine:
  model: z16
  adapters: { 5: { type: CEX7A }, 6: { type: CEX7A }, 7: { type: CEX7A }, 8: { type: CEX7C } }
  usage-domains: [4]
  control-domains: [4]
apmask: "-7"
mdevs:
  62177883-f1bb-47f0-914d-32a22e3a8804: { adapters: [7], domains: [4] }
guests:
  guest1: { cpu: "host,ap=on,apqci=on,apft=on,apqi=on", mdev: 62177883-f1bb-47f0-914d-32a22e3a8804 }
`;

interface Report {
  readonly bits: number;
  readonly operations: readonly { readonly operations: number; readonly perSecond: number; readonly queues: Record<string, number> }[];
}

describe("crypto", () => {
  test("uses the cards of the host and of a guest, goes to the next when one fails, and says which did what", async () => {
    await sandbox.current.up(sandbox.current.file("zc.yaml", description), "--no-mount");
    const rsa = async (...words: string[]): Promise<string[][]> => {
      const { status, stdout, stderr } = await crypto("rsa", "--bits", "1024", "--ops", "40", "--json", ...words);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      const { bits, operations } = JSON.parse(stdout) as Report;
      expect([bits, ...operations.map((each) => each.operations)]).toEqual([1024, 40, 40]);
      for (const { perSecond, queues } of operations) {
        expect(perSecond).toBeGreaterThan(0);
        expect(Object.values(queues).reduce((sum, count) => sum + count, 0)).toBe(40);
      }
      return operations.map(({ queues }) => Object.keys(queues));
    };
    // Under load also the slower card 8 gets some.
    for (const queues of await rsa()) expect(queues).toEqual(expect.arrayContaining(["05.0004", "06.0004"]));
    expect(await rsa("--guest", "guest1")).toEqual([["07.0004"], ["07.0004"]]);
    expect(await rsa("--queue", "08.0004")).toEqual([["08.0004"], ["08.0004"]]);

    await sandbox.current.adjunct("hw", "zc", "card", "checkstop", "5", "on");
    for (const queues of await rsa()) {
      expect(queues).toContain("06.0004");
      expect(queues).not.toContain("05.0004");
    }
    await sandbox.current.adjunct("write", "zc", "/sys/bus/ap/devices/card06/online", "0");
    expect(await rsa()).toEqual([["08.0004"], ["08.0004"]]);
    await sandbox.current.adjunct("hw", "zc", "card", "deconfigure", "8");
    expect(await crypto("rsa")).toMatchObject({
      status: 1,
      stderr: "adjunct: no card that is online and configured does RSA of this size: No such device (ENODEV)\n",
    });
    await sandbox.current.adjunct("hw", "zc", "card", "checkstop", "5", "off");
    expect(await rsa()).toEqual([["05.0004"], ["05.0004"]]);
  });

  test("prints random bytes, the cards and their keys", async () => {
    await sandbox.current.up(sandbox.current.file("zc.yaml", description), "--no-mount");
    const random = await crypto("random", "--bytes", "5000");
    expect(
      random.stdout
        .split("\n")
        .slice(0, 2)
        .every((line) => /^[0-9a-f]{64}$/.test(line)),
    ).toBe(true);
    expect(random.stdout.replace(/\n/g, "")).toHaveLength(10_000);
    expect((await crypto("random", "--json")).stdout).not.toContain(random.stdout.slice(0, 64));
    const info = await crypto("info");
    expect(info.stdout).toMatch(/^DEVICE {3}TYPE {3}STATUS {2}REQUESTS {2}PENDING {2}LOAD {2}TELLS\n/);
    // Two pages of random bytes and one; its number was not asked for yet.
    expect(info.stdout).toMatch(/\n08\.0004 {2}CEX7C {2}online {2}3 {9}0 {8}0\n/);
    expect(JSON.parse((await crypto("info", "--guest", "guest1", "--json")).stdout)).toMatchObject([
      { name: "card07", type: "CEX7A", isOnline: true, queues: [{ name: "07.0004", isUsable: true }] },
    ]);
    expect((await crypto("keys")).stdout).toMatch(/^08\.0004 CEX7C\n {2}AES NEW: .*\n {2}AES CUR: /);
    expect((await crypto("keys", "--guest", "guest1")).stdout).toBe("no queue of a coprocessor\n");
  });

  test("lets a guest sign and verify by itself, and tells its boot id", async () => {
    await sandbox.current.up(sandbox.current.file("zc.yaml", description), "--no-mount");
    const loop = async (...words: string[]): Promise<LoopReport> => {
      const { status, stdout, stderr } = await crypto("loop", "--guest", "guest1", "--json", ...words);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return JSON.parse(stdout) as LoopReport;
    };
    expect(await loop()).toMatchObject({ state: "running", bits: 2048, signatures: 0 });
    expect((await crypto("loop", "--guest", "guest1")).stderr).toBe(
      "adjunct: guest guest1 has a loop already: --show shows it, --stop ends it\n",
    );
    await vi.waitFor(async () => expect((await loop("--show")).now).toBeGreaterThan((await loop("--show")).startedAt + 1), {
      timeout: 20_000,
    });
    const stopped = await loop("--stop");
    expect(stopped).toMatchObject({ state: "stopped", wrong: 0, sentAgain: 0, error: null });
    expect(stopped.signatures).toBeGreaterThan(5);
    expect((await crypto("loop", "--guest", "guest1", "--show")).stdout).toMatch(
      new RegExp(
        `^guest1: RSA with 2048 bits, stopped; ${stopped.signatures} signatures, 0 wrong, 0 sent again since second \\d+\\.\\d of `,
      ),
    );
    const log = (await sandbox.current.adjunct("dmesg", "zc", "--guest", "guest1")).stdout;
    expect(log).toMatch(/crypto-loop: \d+ signatures, 0 wrong, 0 sent again\n/);
    expect(log).toContain(`crypto-loop: ${stopped.signatures} signatures, 0 wrong, 0 sent again; stopped\n`);
    const [guest] = JSON.parse((await sandbox.current.adjunct("guests", "zc", "--json")).stdout) as { readonly bootId: string }[];
    expect(guest?.bootId).toBe(stopped.bootId);
  });

  test("says what is wrong with a queue, a guest, a card or a word", async () => {
    await sandbox.current.up(sandbox.current.file("zc.yaml", description), "--no-mount");
    const refused = async (...words: string[]): Promise<string> => {
      const { status, stderr } = await crypto(...words);
      return `${status} ${stderr.split("\n")[0]?.replace("adjunct: ", "")}`;
    };
    expect(await refused("rsa", "--queue", "05.0009")).toBe("1 no queue 05.0009; there are: 05.0004, 06.0004, 07.0004, 08.0004");
    expect(await refused("rsa", "--queue", "07.0004")).toBe(
      "1 queue 07.0004 is vfio_ap's, not the host's: guest guest1 uses it; --guest guest1 asks there",
    );
    expect(await refused("rsa", "--guest", "guest1", "--queue", "05.0004")).toBe("1 no queue 05.0004; there are: 07.0004");
    expect(await refused("random", "--queue", "05.0004")).toBe(
      "1 queue 05.0004 does not do random numbers, or is not online and configured: No such device (ENODEV)",
    );
    expect(await refused("random", "--guest", "guest1")).toBe(
      "1 no card that is online and configured does random numbers: No such device (ENODEV)",
    );
    expect(await refused("rsa", "--guest", "guest7")).toBe("1 no guest guest7; did you mean guest1? running: guest1");
    expect(await refused("mine")).toBe("2 mine is no action: rsa, random, info, keys, loop");
    expect(await refused("rsa", "--bits", "3000")).toBe("2 --bits is one of 1024, 2048, 4096, not 3000");
    expect(await refused("loop")).toBe("2 loop needs --guest: it runs in a guest and goes where that goes");
    expect(await refused("loop", "--guest", "guest1", "--queue", "07.0004")).toBe("2 --queue is not for loop: the guest's Linux chooses");
    expect(await refused("loop", "--guest", "guest1", "--show", "--stop")).toBe("2 --show or --stop, not both");
    expect(await refused("loop", "--guest", "guest1", "--show")).toBe(
      "1 guest guest1 has no loop: adjunct crypto HOST --guest guest1 loop starts one",
    );
    expect(await refused("rsa", "--ops", "0")).toBe("2 --ops is a number from 1 to 100000, not 0");
    const json = await crypto("random", "--queue", "05.0004", "--json");
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "ENODEV" } });
  });
});
