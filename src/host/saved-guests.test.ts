import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { awaitModelGuest, guestFacilities, hostWithMdev, linuxOf, makeLoopKey, startModelGuest } from "../../test/support/saved-guests.ts";
import type { TestHost } from "../../test/support/test-host.ts";
import { mostSavedBytes } from "../guest/model/saved-form.ts";
import { QemuError } from "../qemu/qemu-error.ts";
import { CommandGuestPort } from "./command-guest-port.ts";
import { Refusal } from "./control-protocol.ts";
import { maxPieceBytes } from "./migration-command.ts";

const { ap, qci, apft, apqi } = guestFacilities;
const features = { ap, apqci: qci, apft, apqi };

const guestCommand = (host: TestHost, action: string, more: object = {}): unknown =>
  host.host.command({ do: "guest", action, guest: "guest1", ...more });

const restore = (host: TestHost, bytes: Uint8Array, isLast: boolean): unknown =>
  guestCommand(host, "restore", { bytes: Buffer.from(bytes).toString("base64"), isLast });

function savedGuest(): Buffer {
  const host = hostWithMdev();
  const guest = startModelGuest(host);
  for (let line = 0; line < 2000; line++) linuxOf(guest).log.write(6, `line ${line} ${"x".repeat(50)}`);
  guest.pause();
  return guest.save();
}

describe("a guest over the commands of its host", () => {
  test("is sent by one port and received by another", async () => {
    const [from, to] = [hostWithMdev(), hostWithMdev()];
    const ports = await Promise.all([from, to].map((host) => CommandGuestPort.over(async (command) => host.host.command(command))));
    const [source, target] = ports as [CommandGuestPort, CommandGuestPort];
    await source.create({ name: "guest1", features });
    await source.run();
    from.advance(1000);
    const channel = new PassThrough();
    const outgoing = await source.machine.send(channel);
    await source.pause();
    const bytes = buffer(channel);
    await outgoing.complete();
    const saved = await bytes;

    await target.create({ name: "guest1", features, isIncoming: true });
    await expect(target.run()).rejects.toThrow("guest guest1 has not come yet: it waits for a migration");
    expect(to.guest("guest1").isRunning).toBe(false);
    const arriving = new PassThrough();
    const received = target.machine.receive(arriving);
    for (const part of [saved.subarray(0, 1), saved.subarray(1, 50), saved.subarray(50)]) arriving.write(part);
    arriving.end();
    await received;
    await target.run();
    expect(to.guest("guest1").model?.bootId).toBe(from.guest("guest1").model?.bootId);
    expect(to.guest("guest1").isRunning).toBe(true);
  });

  test("is refused in the words of the host, as QEMU refuses", async () => {
    const host = hostWithMdev();
    const port = await CommandGuestPort.over(async (command) => host.host.command(command));
    await port.create({ name: "guest1", features });
    await port.run();
    const outgoing = await port.machine.send(new PassThrough());
    await expect(outgoing.complete()).rejects.toEqual(new QemuError("guest guest1: a guest is saved while it is paused"));
    const arriving = new PassThrough();
    arriving.end("something else");
    await expect(port.machine.receive(arriving)).rejects.toEqual(new QemuError("guest guest1: the guest does not wait for a saved one"));
  });
});

describe("restoring", () => {
  const saved = savedGuest();

  test.each([1, 777, maxPieceBytes])("takes pieces of %i bytes", (size) => {
    const host = hostWithMdev();
    const guest = awaitModelGuest(host);
    const bytes = size === 1 ? saved.subarray(0, 3000) : saved;
    for (let start = 0; start + size < bytes.length; start += size) {
      expect(restore(host, bytes.subarray(start, start + size), false)).toBeUndefined();
      expect([...guest.directory.names()]).toEqual([]);
    }
    const rest = size === 1 ? saved.subarray(2999) : saved.subarray(Math.floor((saved.length - 1) / size) * size);
    for (let start = 0; start < rest.length; start += maxPieceBytes)
      restore(host, rest.subarray(start, start + maxPieceBytes), start + maxPieceBytes >= rest.length);
    expect(guest.save()).toEqual(saved);
  });

  test("begins anew after what was refused", () => {
    const host = hostWithMdev();
    const guest = awaitModelGuest(host);
    restore(host, saved.subarray(0, 100), false);
    expect(() => restore(host, Buffer.alloc(0), true)).toThrow(Refusal);
    restore(host, saved.subarray(0, 32_000), false);
    for (let start = 32_000; start < saved.length; start += 32_000)
      restore(host, saved.subarray(start, start + 32_000), start + 32_000 >= saved.length);
    expect(guest.isAwaited).toBe(false);
  });

  test("ends when more comes than a saved guest can have", () => {
    const host = hostWithMdev();
    awaitModelGuest(host);
    const piece = Buffer.alloc(maxPieceBytes);
    expect(() => {
      for (let bytes = 0; bytes <= mostSavedBytes; bytes += maxPieceBytes) restore(host, piece, false);
    }).toThrow(`guest guest1: a saved guest has at most ${mostSavedBytes} bytes`);
  });

  test("is not for a guest whose Linux runs elsewhere, nor is saving: ENOTTY", () => {
    const host = hostWithMdev();
    host.host.createRealGuest("guest1", guestFacilities);
    expect(() => restore(host, saved.subarray(0, 1), false)).toThrow(expect.objectContaining({ code: "ENOTTY" }));
    expect(() => guestCommand(host, "save")).toThrow(expect.objectContaining({ code: "ENOTTY" }));
  });
});

describe("the loop of a guest", () => {
  const loop = (host: TestHost, action: string, more: object = {}): unknown =>
    host.host.command({ do: "loop", action, guest: "guest1", ...more });
  const key = makeLoopKey();

  test("is started once, shown and stopped, and not while the guest is paused", () => {
    const host = hostWithMdev();
    const guest = startModelGuest(host);
    expect(() => loop(host, "show")).toThrow("guest guest1 has no loop: adjunct crypto HOST --guest guest1 loop starts one");
    expect(loop(host, "start", { key })).toMatchObject({ state: "running", bits: 1024, bootId: guest.bootId });
    expect(() => loop(host, "start", { key })).toThrow("guest guest1 has a loop already: --show shows it, --stop ends it");
    host.advance(100);
    guest.pause();
    expect(loop(host, "show")).toMatchObject({ state: "running", wrong: 0, error: null });
    for (const action of ["start", "stop"])
      expect(() => loop(host, action, { key })).toThrow("guest guest1 is paused: its programs run when it does");
    guest.run();
    expect(loop(host, "stop")).toMatchObject({ state: "stopped" });
    expect(loop(host, "start", { key })).toMatchObject({ signatures: 0 });
  });

  test("says what it ended with", () => {
    const host = hostWithMdev("7.2", { adapters: {} });
    startModelGuest(host);
    loop(host, "start", { key });
    host.advance(100);
    expect(loop(host, "show")).toMatchObject({ state: "failed", error: "No such device (ENODEV)" });
  });

  test("needs a model guest and a key", () => {
    const host = hostWithMdev();
    expect(() => loop(host, "show")).toThrow("no guest guest1: none is running");
    host.host.createRealGuest("guest1", guestFacilities);
    expect(() => loop(host, "show")).toThrow("guest guest1 runs a Linux of its own: its programs use its cards");
    for (const part of [{ n: "00" }, { e: "01".repeat(9) }, { p: "" }, { q: "xy" }, { more: "01" }])
      expect(() => loop(host, "start", { key: { ...key, ...part } })).toThrow("not a command of a host");
  });
});
