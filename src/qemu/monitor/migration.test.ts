import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MigrationAddress } from "../migration/migration-address.ts";
import { eventWords, type ToySide, toySide } from "../migration/toy-hosts.ts";
import { QemuError } from "../qemu-error.ts";
import { ToyGuestPort } from "../toy-guest-port.ts";

let folder: string;
let sides: ToySide[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adjunct-migration-"));
  sides = [];
});

afterEach(async () => {
  for (const { emulator } of sides) await emulator.exclusively(() => emulator.quit("host-signal"));
  rmSync(folder, { recursive: true });
});

async function side(options: Parameters<typeof toySide>[0] = {}): Promise<ToySide> {
  const made = await toySide(options);
  sides.push(made);
  return made;
}

const unix = (): MigrationAddress => ({ type: "unix", path: join(folder, "socket") });

async function waiting(options: Parameters<typeof toySide>[0] = {}, address: MigrationAddress = unix()): Promise<ToySide> {
  const target = await side({ isIncoming: true, ...options });
  await target.migration.listen(address, { exitsOnError: true });
  return target;
}

/** Whether its processors run, by what its host was asked last. */
const runs = ({ port }: ToySide): boolean => port.calls.findLast((call) => ["run", "pause", "destroy"].includes(call)) === "run";

describe("a migration", () => {
  test.each<[string, () => MigrationAddress]>([
    ["a unix socket", unix],
    ["TCP on loopback", () => ({ type: "inet", host: "127.0.0.1", port: 0 })],
  ])("over %s moves device and machine, and then only the target runs", async (_name, address) => {
    const source = await side();
    const target = await waiting({}, address());
    source.port.deviceData.push(Buffer.from("vfap"), Buffer.from("more"));
    source.port.saved = Buffer.alloc(600_000, 7);
    const end = await source.migration.begin(target.migration.listeningAddress!);
    expect(end.status).toBe("completed");
    expect((await target.migration.ended)?.status).toBe("completed");
    expect(source.emulator.runState).toBe("postmigrate");
    expect(target.emulator.runState).toBe("running");
    expect([runs(source), runs(target)]).toEqual([false, true]);
    expect(target.port.saved.equals(source.port.saved)).toBe(true);
    expect(source.port.calls.slice(2)).toEqual(["run", "send", "pause", "device stop-copy", "complete"]);
    expect(target.port.calls.slice(2)).toEqual([
      "device resuming",
      "device write 4",
      "device write 4",
      "receive 600000",
      "device running",
      "run",
    ]);
  });

  test("tells its states in QEMU's order", async () => {
    const source = await side();
    const target = await waiting();
    await source.migration.begin(unix());
    await target.migration.ended;
    expect(eventWords(source)).toEqual(["RESUME", "setup", "pass 1", "active", "STOP", "device", "pass 2", "completed"]);
    expect(eventWords(target)).toEqual(["setup", "active", "RESUME", "completed"]);
  });

  test("of a guest that stands leaves it standing at the target, in the state that it had", async () => {
    const source = await side();
    await source.emulator.stop();
    const target = await waiting();
    await source.migration.begin(unix());
    await target.migration.ended;
    expect(target.emulator.runState).toBe("paused");
    expect(target.port.calls).not.toContain("run");
  });

  test("to a target with -S leaves it paused there until cont", async () => {
    const source = await side();
    const target = await waiting({ isPaused: true });
    await source.migration.begin(unix());
    await target.migration.ended;
    expect(target.emulator.runState).toBe("paused");
    await target.emulator.cont();
    expect(runs(target)).toBe(true);
  });

  test("waits in pre-switchover, with the guest stopped, until migrate-continue", async () => {
    const source = await side();
    source.migration.capabilities.set("pause-before-switchover", true);
    await waiting();
    const ended = source.migration.begin(unix());
    await expect.poll(() => source.migration.status).toBe("pre-switchover");
    expect(() => source.migration.continue("device")).toThrow("Migration not in expected state: pre-switchover");
    expect([source.emulator.runState, runs(source)]).toEqual(["finish-migrate", false]);
    await expect(source.emulator.cont()).rejects.toThrow("Migration is not finalized yet");
    source.migration.continue("pre-switchover");
    expect((await ended).status).toBe("completed");
    expect(eventWords(source)).toEqual(["RESUME", "setup", "pass 1", "active", "STOP", "pre-switchover", "device", "pass 2", "completed"]);
  });

  test("that is cancelled gives the guest back, and the target ends with status 1", async () => {
    const source = await side();
    source.migration.capabilities.set("pause-before-switchover", true);
    const target = await waiting();
    const ended = source.migration.begin(unix());
    await expect.poll(() => source.migration.status).toBe("pre-switchover");
    source.migration.cancel();
    expect((await ended).status).toBe("cancelled");
    expect([source.emulator.runState, runs(source)]).toEqual(["running", true]);
    expect(await target.emulator.ended).toBe(1);
    expect(eventWords(source).slice(5)).toEqual(["pre-switchover", "cancelling", "RESUME", "cancelled"]);
  });

  test("measures how long the AP part stood", async () => {
    const source = await side();
    await waiting();
    const { times } = await source.migration.begin(unix());
    expect(times!.apDowntimeMs).toBeGreaterThan(0);
    expect(times!.apDowntimeMs).toBeLessThanOrEqual(times!.downtimeMs);
  });
});

describe("a refusal", () => {
  test("of the device's data is told by the errno at the target, which ends with status 1; the source goes on", async () => {
    const source = await side();
    source.port.deviceData.push(Buffer.from("vfap"));
    const port = new ToyGuestPort();
    port.deviceErrnos.set("write", "ENODEV");
    const target = await waiting({ port });
    const text = "load of migration failed: No such device: Failed to load vmstate version_id: 1, ret: -19";
    expect(await source.migration.begin(unix())).toEqual({ status: "failed", problem: "Sibling indicated error 1", peerProblem: text });
    expect(await target.emulator.ended).toBe(1);
    expect(target.lines).toEqual(["error while loading state section id 1(/1/vfio-ap)", text]);
    expect(source.lines).toEqual(["Sibling indicated error 1"]);
    expect([source.emulator.runState, runs(source), runs(target)]).toEqual(["running", true, false]);
    expect(source.port.calls.slice(-4)).toEqual(["device stop-copy", "cancel", "device running", "run"]);
    expect(eventWords(source).slice(-3)).toEqual(["pass 2", "failed", "RESUME"]);
  });

  test.each([true, false])(
    "of a guest that has come to run there gives it back to the source; the target ends: %s",
    async (exitsOnError) => {
      const source = await side();
      const port = new ToyGuestPort();
      Object.assign(port, { run: () => Promise.reject(new QemuError("the QEMU that runs this guest is gone")) });
      const target = await side({ isIncoming: true, port });
      await target.migration.listen(unix(), { exitsOnError });
      expect(await source.migration.begin(unix())).toMatchObject({ status: "failed", problem: "Sibling indicated error 1" });
      expect([source.emulator.runState, runs(source), runs(target)]).toEqual(["running", true, false]);
      expect((await target.migration.ended)?.problem).toBe(
        "load of migration failed: Input/output error: the QEMU that runs this guest is gone",
      );
      expect([target.emulator.hasEnded, target.emulator.runState]).toEqual([exitsOnError, exitsOnError ? "shutdown" : "inmigrate"]);
    },
  );

  test("of the first piece of the device's data is heard while the source still reads the next one", async () => {
    const source = await side();
    const { device } = source.port;
    source.port.deviceData.push(Buffer.from("vfap"));
    const { read } = device;
    let reads = 0;
    Object.assign(device, { read: (bytes: number) => (reads++ === 0 ? read(bytes) : new Promise(() => {})) });
    const port = new ToyGuestPort();
    port.deviceErrnos.set("write", "ENODEV");
    await waiting({ port });
    expect(await source.migration.begin(unix())).toMatchObject({ status: "failed", problem: "Sibling indicated error 1" });
    expect(runs(source)).toBe(true);
  });

  test("of the source's device keeps the guest", async () => {
    const source = await side();
    source.port.deviceErrnos.set("stop-copy", "EPERM");
    await waiting();
    const end = await source.migration.begin(unix());
    expect(end.problem).toBe("62177883-f1bb-47f0-914d-32a22e3a8804: Failed setting device state to STOP_COPY: Operation not permitted");
    expect(runs(source)).toBe(true);
  });

  test("of a guest with a device by a target without one", async () => {
    const source = await side();
    const target = await waiting({ hasDevice: false });
    const end = await source.migration.begin(unix());
    expect(end.peerProblem).toBe(
      "load of migration failed: Invalid argument: Unknown section or instance '/1/vfio-ap' 0. " +
        "Make sure that your current VM setup matches your saved VM setup, including any hotplugged devices",
    );
    expect(await target.emulator.ended).toBe(1);
  });

  test("without exit-on-error leaves the target there, failed", async () => {
    const source = await side();
    const target = await side({ isIncoming: true, hasDevice: false });
    await target.migration.listen(unix(), { exitsOnError: false });
    await source.migration.begin(unix());
    expect((await target.migration.ended)?.status).toBe("failed");
    expect([target.migration.status, target.emulator.runState, target.emulator.hasEnded]).toEqual(["failed", "inmigrate", false]);
  });

  test("of garbage ends the target, and tells which magic it found", async () => {
    const target = await waiting();
    const socket = connect(join(folder, "socket"));
    socket.on("error", () => {});
    socket.end("QEVM and so on");
    expect(await target.emulator.ended).toBe(1);
    expect(target.lines.at(-1)).toBe("load of migration failed: Invalid argument: Not a migration stream, magic: 5145564d != 41444a4d");
  });

  test("of an address where nobody listens", async () => {
    const source = await side();
    const end = await source.migration.begin({ type: "unix", path: join(folder, "nobody") });
    expect(end.problem).toBe(`Failed to connect to '${folder}/nobody': No such file or directory`);
    expect(eventWords(source)).toEqual(["RESUME", "setup", "failed"]);
    expect(source.port.calls.at(-1)).toBe("run");
  });

  test("to migrate twice, or away from a target, or into a source", async () => {
    const source = await side();
    const target = await waiting();
    expect(() => target.migration.begin(unix())).toThrow("Guest is waiting for an incoming migration");
    await expect(target.migration.listen(unix(), { exitsOnError: true })).rejects.toThrow(
      "The incoming migration has already been started",
    );
    await expect(source.migration.listen(unix(), { exitsOnError: true })).rejects.toThrow(
      "'-incoming' was not specified on the command line",
    );
    const ended = source.migration.begin(unix());
    expect(() => source.migration.begin(unix())).toThrow("There's a migration process in progress");
    await expect(source.emulator.deleteDevice("hostdev0")).rejects.toThrow("device_del not allowed while migrating");
    await ended;
    expect(() => source.migration.begin(unix())).toThrow("Can't migrate the vm that was paused due to previous migration");
  });
});
