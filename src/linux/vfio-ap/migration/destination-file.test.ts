import { describe, expect, test } from "vitest";
import type { MigratingDevice } from "../../../../test/support/migrating-device.ts";
import { four, occupied, sent, side } from "../../../../test/support/migration-sides.ts";
import { type TestHost, uuids } from "../../../../test/support/test-host.ts";
import { Wait } from "../../../sysfs/wait.ts";
import type { DestinationFile } from "./destination-file.ts";

const [first] = uuids;
const bus = "/sys/bus/ap";

const data = sent();
const fileOf = (host: TestHost): DestinationFile => host.guest("guest1").deviceData as DestinationFile;

/** A write of all the data that waits for the masks, which somebody else changes until `release`. */
function delayed(host: TestHost, device: MigratingDevice): { readonly writing: Wait<void>; readonly release: () => void } {
  const change = new Wait<void>();
  host.host.queue.run(
    host.host.linux.bus.attributeLock.hold(function* () {
      yield change;
    }),
  );
  return { writing: device.writeLater(data) as Wait<void>, release: () => change.complete(() => {}) };
}

describe("data that is complete", () => {
  test("becomes the mediated device's configuration within the last write, in the running guest", () => {
    const { host, device } = side();
    device.setState("resuming");
    expect([device.write(data.subarray(0, -1)), host.matrix(first)]).toEqual(["done", []]);
    expect(device.write(data.subarray(-1))).toBe("done");
    expect([host.matrix(first), host.guestMatrix(first), host.apcb("guest1"), host.adm("guest1")]).toEqual([four, four, four, [4]]);
    expect(host.read(`/sys/devices/vfio_ap/matrix/${first}/control_domains`)).toBe("0004\n");
    expect(host.read(`${bus}/devices/05.0047/status`)).toBe("in use\n");
    expect([device.setState("running"), host.log(), host.resets()]).toEqual(["done", [], []]);
  });

  test("links the queues: they are reset when the device is closed, and not before", () => {
    const { host, device } = side();
    device.load(data);
    expect(host.resets()).toEqual([]);
    host.stopGuest("guest1");
    expect(host.resets().sort()).toEqual(four.map((queue) => `ZAPQ ${queue}`));
  });

  test("replaces what was assigned there, and what the guest loses by it is reset", () => {
    const { host, device } = occupied();
    expect(device.write(data)).toBe("done");
    expect([host.matrix(first), host.apcb("guest1"), host.adm("guest1")]).toEqual([four, four, [4]]);
    expect(host.resets()).toEqual(["ZAPQ 06.00ab"]);
  });

  test("of a guest without queues takes everything from the device", () => {
    const { host, device } = occupied();
    expect(device.write(side().device.save())).toBe("done");
    expect([host.matrix(first), host.apcb("guest1"), host.adm("guest1"), host.resets()]).toEqual([[], [], [], ["ZAPQ 06.00ab"]]);
  });

  test("that is what the device has already changes nothing", () => {
    const { host, device } = side();
    device.load(data);
    host.forget();
    expect([device.load(data), host.apcb("guest1"), host.resets(), host.uevents()]).toEqual(["done", four, [], []]);
  });

  test("leaves out an adapter whose last reset failed, as for any guest", () => {
    const { host, device } = side();
    host.host.linux.vfioAp!.queues.get(0x0504)!.resetCode = 7;
    expect([device.load(data), host.matrix(first), host.apcb("guest1")]).toEqual(["done", four, four.slice(2)]);
  });

  test("is known to the guest at once", () => {
    const { host, device } = side();
    let told = 0;
    host.stopGuest("guest1");
    const { vm } = host.guest("guest1");
    host.runJob(host.host.linux.vfioAp!.open(first, { vm, onConfigurationChange: () => told++ }));
    host.guest("guest1").mdev = host.host.linux.vfioAp!.matrixMdev(first);
    told = 0;
    device.load(data);
    expect(told).toBe(1);
  });

  test.each([1, 2, 7, 11, 12, 13, 48, 111, 112])("may come in pieces of %i bytes", (bytes) => {
    const { host, device } = side();
    device.setState("resuming");
    expect([device.writeInPieces(data, bytes), host.apcb("guest1"), device.setState("running")]).toEqual(["done", four, "done"]);
  });

  test("may come in pieces that begin or end within the first 12 bytes, in any way", () => {
    for (let cut = 1; cut <= 16; cut++) {
      const { host, device } = side();
      device.setState("resuming");
      const answers = [data.subarray(0, cut), data.subarray(cut)].map((piece) => device.write(piece));
      expect([answers, host.apcb("guest1")]).toEqual([["done", "done"], four]);
    }
  });
});

describe("a write ends, before its bytes are looked at, with", () => {
  test("EINVAL where it brings none, even when the device was closed", () => {
    const { host, device } = side();
    device.setState("resuming");
    const file = fileOf(host);
    expect(host.runJob(file.write(new Uint8Array()))).toBe("EINVAL");
    host.stopGuest("guest1");
    expect(host.runJob(file.write(new Uint8Array()))).toBe("EINVAL");
  });

  test("ENODEV once the device was closed, and ENXIO when it is open again", () => {
    const { host, device } = side();
    device.setState("resuming");
    const file = fileOf(host);
    host.stopGuest("guest1");
    expect(host.runJob(file.write(data))).toBe("ENODEV");
    host.startGuest("guest1", first);
    expect(host.runJob(file.write(data))).toBe("ENXIO");
    expect(host.matrix(first)).toEqual([]);
  });

  test("ENXIO where a newer session has begun", () => {
    const { host, device } = side();
    device.load(data);
    device.setState("resuming");
    const file = fileOf(host);
    expect(device.write(data)).toBe("done");
    device.setState("stop");
    device.setState("resuming");
    expect(host.runJob(file.write(data))).toBe("ENXIO");
  });

  test("EBUSY while another write is under way, which goes on", () => {
    const { host, device } = side();
    device.setState("resuming");
    const { writing, release } = delayed(host, device);
    expect([device.write(data), device.write(data.subarray(0, 1)), host.matrix(first)]).toEqual(["EBUSY", "EBUSY", []]);
    release();
    expect([host.ended(writing, "the write"), host.apcb("guest1")]).toEqual([undefined, four]);
  });

  test("ENODEV or ENXIO where the device was closed, or reset, while it waited for its turn", () => {
    for (const [end, errno] of [
      [(host: TestHost) => host.stopGuest("guest1"), "ENODEV"],
      [(host: TestHost) => host.run(() => host.host.resetMdev(host.guest("guest1"))), "ENXIO"],
    ] as const) {
      const { host, device } = side();
      device.setState("resuming");
      const { writing, release } = delayed(host, device);
      expect(end(host)).toBe("done");
      release();
      expect(() => host.ended(writing, "the write")).toThrow(errno);
      expect([host.matrix(first), host.resets()]).toEqual([[], []]);
    }
  });

  test("EFAULT after a refusal in one write, and EIO after one in pieces: the session is lost", () => {
    const bad = Buffer.from(data);
    bad[15] = 1;
    const { device } = side();
    device.setState("resuming");
    expect([device.write(bad), device.write(data), device.write(data.subarray(0, 1))]).toEqual(["EINVAL", "EFAULT", "EFAULT"]);
    const pieces = side().device;
    pieces.setState("resuming");
    expect([pieces.writeInPieces(bad, 20), pieces.write(data)]).toEqual(["EINVAL", "EIO"]);
  });

  test("EIO where it brings more than announced, whatever came before", () => {
    const longer = Buffer.concat([data, Buffer.alloc(1)]);
    for (const bytes of [20, data.length - 1, data.length]) {
      const { device } = side();
      device.setState("resuming");
      expect(device.writeInPieces(longer, bytes)).toBe("EIO");
    }
  });

  test("EIO where all of it comes in one write that is too long, and nothing is taken over", () => {
    const { device, expectAsBefore } = occupied();
    expect([device.write(Buffer.concat([data, Buffer.alloc(1)])), device.write(data)]).toEqual(["EIO", "EFAULT"]);
    expectAsBefore();
  });
});

describe("data of another kind is refused with EINVAL", () => {
  const kinds: [string, number, string][] = [
    ["another magic", 0, "76666171"],
    ["another version", 4, "00000002"],
    ["something in a reserved word", 12, "00000100"],
    ["queues that are no product", 48 + 3 * 16 + 8, "0748"],
    ["a queue twice", 48 + 16 + 8, "0504"],
  ];
  const altered = (offset: number, hex: string): Buffer => {
    const bytes = Buffer.from(data);
    bytes.write(hex, offset, "hex");
    return bytes;
  };

  test.each(kinds)("%s, in one write and in pieces, and nothing is taken over", (_, offset, hex) => {
    for (const bytes of [1, 7, 12, 60, data.length]) {
      const { host, device, expectAsBefore } = occupied();
      expect(device.writeInPieces(altered(offset, hex), bytes)).toBe("EINVAL");
      expectAsBefore();
      expect(host.log()).toEqual([]);
    }
  });

  test("a magic or a version that is another one, at the write after the one that brings it", () => {
    for (const [, offset, hex] of kinds.slice(0, 2)) {
      const { device } = side();
      device.setState("resuming");
      const bytes = altered(offset, hex);
      expect([device.write(bytes.subarray(0, 12)), device.write(bytes.subarray(12, 13))]).toEqual(["done", "EINVAL"]);
    }
  });

  test("more queues than there can be, as soon as they are announced", () => {
    const { device, expectAsBefore } = occupied();
    expect(device.write(altered(8, "00010001").subarray(0, 12))).toBe("EINVAL");
    expectAsBefore();
    expect(device.write(data)).toBe("EFAULT");
  });

  test("as many queues as there can be are waited for", () => {
    const { device } = side();
    device.setState("resuming");
    expect(device.write(altered(8, "00010000").subarray(0, 12))).toBe("done");
  });
});
