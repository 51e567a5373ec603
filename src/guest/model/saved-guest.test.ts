import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import {
  askingFiles,
  awaitModelGuest,
  guestFacilities,
  hostWithMdev,
  linuxOf,
  makeLoopKey,
  startModelGuest,
  treeLines,
} from "../../../test/support/saved-guests.ts";
import { outcome, type TestHost, uuids } from "../../../test/support/test-host.ts";
import { silentProcessor } from "../../machine/adapter/processor.ts";
import type { Wait } from "../../sysfs/wait.ts";
import type { ModelGuest } from "./model-guest.ts";
import { encodeSavedGuest, mostSavedBytes, SavedGuestError } from "./saved-form.ts";
import type { SavedGuest, SavedSystem } from "./saved-guest.ts";

vi.setConfig({ testTimeout: 60_000 });

const [uuid] = uuids;
const headerBytes = 44;

const write = (host: TestHost, guest: ModelGuest, path: string, text: string): string =>
  host.run(() => host.host.write(path, `${text}\n`, linuxOf(guest)));

const logOf = (guest: ModelGuest): string[] => linuxOf(guest).log.lines.map(({ text }) => text);

function savedOf(guest: ModelGuest): Buffer {
  guest.pause();
  return guest.save();
}

/** On another host with the same hardware; it stands. */
function restoreElsewhere(saved: Buffer, host = hostWithMdev()): { host: TestHost; guest: ModelGuest } {
  const guest = awaitModelGuest(host);
  guest.restore(saved);
  return { host, guest };
}

/** What it waits to be: nothing was taken. */
function expectUntouched(guest: ModelGuest): void {
  expect([...guest.directory.names()]).toEqual([]);
  expect([guest.isAwaited, guest.linux, guest.bootId, guest.isRunning]).toEqual([true, undefined, undefined, false]);
}

describe("a guest that is saved and restored on another host", () => {
  test("is what it was: boot, clock, log, modules, masks, files, counters", () => {
    const there = hostWithMdev();
    const source = startModelGuest(there);
    write(there, source, "/sys/bus/ap/devices/05.0004/online", "0");
    write(there, source, "/sys/bus/ap/config_time", "120");
    write(there, source, "/sys/class/zcrypt/create", "one");
    write(there, source, "/sys/class/zcrypt/one/apmask", "+5");
    there.run(() => linuxOf(source).modprobe("vfio_ap"));
    there.run(() =>
      there.host.command({
        do: "crypto",
        action: "power",
        guest: "guest1",
        input: "01".repeat(64),
        exponent: "03",
        modulus: "ff".repeat(64),
      }),
    );
    write(there, source, "/sys/bus/ap/apmask", "-6");
    there.advance(2000);
    const saved = savedOf(source);

    const here = hostWithMdev();
    here.advance(77_000);
    const { guest: target } = restoreElsewhere(saved, here);
    expect(target.save()).toEqual(saved);
    expect([target.bootId, target.kernel]).toEqual([source.bootId, "7.2"]);
    expect(linuxOf(target).timers.nowMs).toBe(linuxOf(source).timers.nowMs);
    expect(linuxOf(target).log.lines).toEqual(linuxOf(source).log.lines);
    const without = new RegExp(`${askingFiles.source}|/interrupt$`);
    expect(treeLines(linuxOf(target).root, without)).toEqual(treeLines(linuxOf(source).root, without));
    const read = (path: string) => here.host.read(path, linuxOf(target));
    expect(read("/sys/bus/ap/devices/05.0004/online")).toBe("0\n");
    expect(read("/sys/class/zcrypt/one/apmask")).toMatch(/^0x04/);
    expect(here.host.list("/sys/bus/ap/drivers/vfio_ap", linuxOf(target)).join()).toContain("06.0004");
  });

  test("asks nothing of its cards and tells nobody of them before it runs; then its queues interrupt and its clock goes on", () => {
    const there = hostWithMdev();
    const source = startModelGuest(there);
    const saved = savedOf(source);
    const here = hostWithMdev();
    const instructions: string[] = [];
    here.host.machine.observeResets((name) => instructions.push(name));
    here.uevents();
    const guest = here.host.createGuest("guest1", guestFacilities, { isIncoming: true }).model!;
    guest.restore(saved);
    here.run(() => here.host.openMdev(here.guest("guest1"), uuid));
    instructions.splice(0);
    expect(here.uevents().filter(({ devpath }) => devpath.includes("05.0004"))).toEqual([]);
    guest.run();
    here.advance(500);
    expect(instructions).toEqual([]);
    expect(here.host.read("/sys/bus/ap/devices/05.0004/interrupt", linuxOf(guest))).toBe("Interrupts enabled.\n");
    expect(linuxOf(guest).timers.nowMs).toBeCloseTo(linuxOf(source).timers.nowMs + 500, 1);
    expect(here.host.read("/sys/bus/ap/scans", linuxOf(guest))).toBe(there.host.read("/sys/bus/ap/scans", linuxOf(source)));
  });

  test("finds at its next scan that a card is another one and that one is gone", () => {
    const saved = savedOf(startModelGuest(hostWithMdev()));
    const here = hostWithMdev("7.2", { adapters: { 5: "CEX7C" } });
    const { guest } = restoreElsewhere(saved, here);
    const names = () => here.host.list("/sys/bus/ap/devices", linuxOf(guest)).map((entry) => entry.split(" ", 1)[0]);
    guest.run();
    expect(names()).toContain("card06");
    here.advance(31_000);
    expect(names()).toEqual(["05.0004", "05.00ab", "card05"]);
    expect(here.host.read("/sys/bus/ap/devices/card05/type", linuxOf(guest))).toBe("CEX7C\n");
  });

  test("takes its kernel along, and boots it again after a reset", () => {
    const { host, guest } = restoreElsewhere(savedOf(startModelGuest(hostWithMdev("6.1"))), hostWithMdev("7.2"));
    guest.run();
    const { bootId } = guest;
    guest.reset();
    host.advance(1000);
    expect(guest.bootId).not.toBe(bootId);
    expect([guest.kernel, linuxOf(guest).generation.name]).toEqual(["6.1", "6.1"]);
    expect(outcome(() => String(host.host.read("/sys/bus/ap/features", linuxOf(guest))))).toBe("ENOENT");
  });

  test("that never booted boots where it runs first", () => {
    const there = hostWithMdev();
    const source = there.host.createGuest("guest1", guestFacilities).model!;
    const { host, guest } = restoreElsewhere(source.save());
    expect([guest.isAwaited, guest.linux]).toEqual([false, undefined]);
    guest.run();
    host.advance(1000);
    expect(host.host.list("/sys/bus/ap/devices", linuxOf(guest))).not.toEqual([]);
  });

  test("without AP instructions has its log and nothing else", () => {
    const without = { ...guestFacilities, ap: false };
    const there = hostWithMdev();
    const source = startModelGuest(there, without);
    const here = hostWithMdev();
    const target = awaitModelGuest(here, without);
    target.restore(savedOf(source));
    expect(logOf(target)).toEqual(["ap: The hardware system does not support AP instructions"]);
  });

  test("goes on where it was if it does not leave after all, with the request that waits", () => {
    const there = hostWithMdev("7.2", { processor: silentProcessor });
    const source = startModelGuest(there);
    const wait = there.host.command({ do: "crypto", action: "power", guest: "guest1", input: "01", exponent: "03", modulus: "ff" });
    const { bootId } = source;
    savedOf(source);
    source.run();
    there.advance(100);
    expect([source.bootId, (wait as Wait<unknown>).outcome]).toEqual([bootId, undefined]);
    expect(there.host.read("/sys/bus/ap/devices/06.0004/pendingq_count", linuxOf(source))).toBe("1\n");
  });

  test("leaves a program's request behind, which ends with an error when the guest there ends", () => {
    const there = hostWithMdev("7.2", { processor: silentProcessor });
    const source = startModelGuest(there);
    const wait = there.host.command({ do: "crypto", action: "power", guest: "guest1", input: "01", exponent: "03", modulus: "ff" });
    const { guest: target, host } = restoreElsewhere(savedOf(source));
    target.run();
    there.run(() => there.host.destroyGuest(there.guest("guest1")));
    expect((wait as Wait<unknown>).outcome).toMatchObject({ error: { code: "ENODEV" } });
    expect(host.host.read("/sys/bus/ap/devices/06.0004/pendingq_count", linuxOf(target))).toBe("0\n");
  });

  test("can leave again before it ran", () => {
    const saved = savedOf(startModelGuest(hostWithMdev()));
    const { guest } = restoreElsewhere(saved);
    const next = restoreElsewhere(guest.save());
    next.guest.run();
    next.host.advance(100);
    expect(next.guest.save.bind(next.guest)).toThrow("a guest is saved while it is paused");
  });
});

describe("a loop of signatures", () => {
  const key = makeLoopKey();

  /** A host whose guest has one. */
  function withLoop(options?: Parameters<typeof hostWithMdev>[1]): { host: TestHost; guest: ModelGuest } {
    const host = hostWithMdev("7.2", options);
    const guest = startModelGuest(host);
    guest.startLoop(key);
    return { host, guest };
  }

  const countsOf = (guest: ModelGuest) => guest.loop!.saved();

  test("goes from host to host: every hop has more signatures, none wrong, in one log of one boot", () => {
    let { host, guest } = withLoop();
    const { bootId } = guest;
    let signatures = 0;
    for (let hop = 0; hop < 5; hop++) {
      host.advance(1100);
      expect(countsOf(guest)).toMatchObject({ state: "running", wrong: 0, error: null });
      expect(countsOf(guest).signatures).toBeGreaterThan(signatures);
      ({ signatures } = countsOf(guest));
      ({ host, guest } = restoreElsewhere(savedOf(guest)));
      expect(countsOf(guest).signatures).toBe(signatures);
      guest.run();
    }
    expect(guest.bootId).toBe(bootId);
    const lines = logOf(guest).filter((text) => text.startsWith("crypto-loop: "));
    expect(lines.length).toBe(5);
    expect(lines.at(-1)).toMatch(/^crypto-loop: \d+ signatures, 0 wrong, 0 sent again$/);
  });

  test("asks again for the signature that it waited for", () => {
    const { host: there, guest: source } = withLoop({ processor: silentProcessor });
    there.advance(100);
    expect(there.host.read("/sys/bus/ap/devices/card06/pendingq_count", linuxOf(source))).toBe("1\n");
    const { host, guest } = restoreElsewhere(savedOf(source));
    expect(countsOf(guest).signatures).toBe(0);
    guest.run();
    host.advance(100);
    expect(countsOf(guest).signatures).toBeGreaterThan(0);
  });

  test("counts a signature that is wrong and goes on", () => {
    const { host, guest } = withLoop();
    const other = { ...key, dp: makeLoopKey().dp };
    guest.loop?.stop();
    guest.startLoop(other);
    host.advance(100);
    const { state, signatures, wrong } = countsOf(guest);
    expect([state, signatures, wrong > 5]).toEqual(["running", 0, true]);
  });

  test("ends with an error that is shown when no card is left", () => {
    const saved = savedOf(withLoop().guest);
    const { host, guest } = restoreElsewhere(saved, hostWithMdev("7.2", { adapters: {} }));
    guest.run();
    host.advance(100);
    expect(countsOf(guest)).toMatchObject({ state: "failed", error: "ENODEV" });
    expect(logOf(guest).at(-1)).toMatch(/^crypto-loop: .*; ended: No such device \(ENODEV\)$/);
    guest.pause();
    expect(restoreElsewhere(guest.save()).guest.loop?.saved()).toEqual(countsOf(guest));
  });

  test("ends when it is told to, and with its guest; another one can begin", () => {
    const { host, guest } = withLoop();
    expect(() => guest.startLoop(key)).toThrow(expect.objectContaining({ code: "EBUSY" }));
    host.advance(50);
    guest.loop?.stop();
    const { signatures } = countsOf(guest);
    host.advance(5000);
    expect(countsOf(guest)).toMatchObject({ state: "stopped", signatures });
    expect(logOf(guest).at(-1)).toBe(`crypto-loop: ${signatures} signatures, 0 wrong, 0 sent again; stopped`);
    const second = guest.startLoop(key);
    guest.reset();
    host.advance(3000);
    expect([guest.loop, second.isRunning]).toEqual([undefined, false]);
    expect(logOf(guest).filter((text) => text.startsWith("crypto-loop"))).toEqual([]);
  });

  test("does nothing while its guest is paused", () => {
    const { host, guest } = withLoop();
    host.advance(100);
    guest.pause();
    const before = countsOf(guest);
    host.advance(10_000);
    expect(countsOf(guest)).toEqual(before);
  });
});

describe("saving is refused", () => {
  test("while the guest runs, and of one that has not come", () => {
    const host = hostWithMdev();
    expect(() => startModelGuest(host).save()).toThrow("a guest is saved while it is paused");
    expect(() => awaitModelGuest(hostWithMdev()).save()).toThrow("the guest has not come yet");
  });

  test("where the guest has mediated devices of its own", () => {
    const host = hostWithMdev();
    const guest = startModelGuest(host);
    host.run(() => linuxOf(guest).modprobe("vfio_ap"));
    write(host, guest, "/sys/devices/vfio_ap/matrix/mdev_supported_types/vfio_ap-passthrough/create", uuid);
    guest.pause();
    expect(() => guest.save()).toThrow(`the guest has mediated devices of its own, which cannot go along: ${uuid}`);
  });
});

describe("restoring is refused, and nothing is restored", () => {
  const saved = (() => {
    const host = hostWithMdev();
    const guest = startModelGuest(host);
    guest.startLoop(makeLoopKey());
    write(host, guest, "/sys/class/zcrypt/create", "one");
    host.advance(1500);
    return savedOf(guest);
  })();
  const body = JSON.parse(saved.subarray(headerBytes).toString()) as SavedGuest;
  const system = body.system!;
  const { bus } = system;
  const other = (change: Partial<SavedSystem>): Buffer => encodeSavedGuest({ ...body, system: { ...system, ...change } });

  const withByte = (offset: number, value: number): Buffer => {
    const bytes = Buffer.from(saved);
    bytes[offset] = value;
    return bytes;
  };

  /** With a checksum that fits. */
  const sealed = (text: string): Buffer => {
    const bytes = Buffer.concat([saved.subarray(0, headerBytes), Buffer.from(text)]);
    bytes.writeUInt32BE(bytes.length - headerBytes, 8);
    createHash("sha256").update(text).digest().copy(bytes, 12);
    return bytes;
  };

  test.each<[string, Buffer, RegExp]>([
    ["nothing", Buffer.alloc(0), /^this is no saved guest: 0 bytes, its header has 44$/],
    ["a header cut off", saved.subarray(0, 43), /^this is no saved guest: 43 bytes/],
    ["something else", withByte(0, 0), /^this is no saved guest: its first bytes are others$/],
    ["a later version", withByte(7, 2), /^this guest was saved in version 2; only version 1 is known here$/],
    ["an end cut off", saved.subarray(0, -1), /^the saved guest is damaged: \d+ bytes where it has \d+$/],
    ["more than it should be", Buffer.concat([saved, Buffer.of(0)]), /^the saved guest is damaged: \d+ bytes where/],
    ["another checksum", withByte(20, saved[20]! ^ 1), /^the saved guest is damaged: its checksum does not fit$/],
    ["no JSON", sealed("{"), /^the saved guest is damaged: it is no JSON of ours$/],
    ["brackets without end", sealed("[".repeat(1_000_000)), /^the saved guest is damaged: it is no JSON of ours$/],
    ["a value of another kind", sealed(JSON.stringify({ ...body, system: 1 })), /^the saved guest is damaged: system: /],
    ["an unknown key", sealed(JSON.stringify({ ...body, more: 1 })), /^the saved guest is damaged: more: /],
    ["other blanks", sealed(`${JSON.stringify(body)} `), /^the saved guest is damaged: it contradicts itself$/],
    [
      "a card twice",
      other({ bus: { ...bus!, devices: [...bus!.devices, bus!.devices[0]!] } }),
      /^the saved guest is damaged: card 5 is there twice$/,
    ],
    [
      "a queue without its card",
      other({ bus: { ...bus!, devices: bus!.devices.slice(1) } }),
      /^the saved guest is damaged: a queue of card 5 /,
    ],
    ["a driver that is not there", other({ modules: [] }), /^the saved guest is damaged: cex4card cannot have card05$/],
    ["a module that is none", other({ modules: ["nosuch"] }), /^the saved guest is damaged: /],
    ["a node twice", other({ nodes: [...system.nodes, ...system.nodes] }), /^the saved guest is damaged: it contradicts itself$/],
    ["more lines than were written", other({ nextLine: 0 }), /^the saved guest is damaged: its log has more lines than were written$/],
    ["other interrupts", other({ bus: { ...bus!, usesInterrupts: false } }), /^the guest has no AP interrupts, which it would get here$/],
    [
      "other facilities",
      encodeSavedGuest({ ...body, facilities: { ...guestFacilities, apft: false } }),
      /^the guest that was saved has the facilities ap, qci, apqi, msa3; this one has ap, qci, apft, apqi, msa3$/,
    ],
  ])("of %s", (_title, bytes, message) => {
    const guest = awaitModelGuest(hostWithMdev());
    expect(() => guest.restore(bytes)).toThrow(SavedGuestError);
    expect(() => guest.restore(bytes)).toThrow(message);
    expectUntouched(guest);
    guest.restore(saved);
    expect(guest.save()).toEqual(saved);
  });

  test("where the guest does not wait for it", () => {
    const guest = startModelGuest(hostWithMdev());
    expect(() => guest.restore(saved)).toThrow("the guest does not wait for a saved one");
    const { guest: restored } = restoreElsewhere(saved);
    expect(() => restored.restore(saved)).toThrow("the guest does not wait for a saved one");
  });

  test("of what is longer than any saved guest", () => {
    expect(() => other({ log: [], modules: Array(Math.ceil(mostSavedBytes / 64)).fill("x".repeat(64)) })).toThrow(SavedGuestError);
  });

  test("and a guest that waits does not run", () => {
    const guest = awaitModelGuest(hostWithMdev());
    expect(() => guest.run()).toThrow(expect.objectContaining({ code: "EBUSY" }));
    guest.reset();
    expectUntouched(guest);
  });
});
