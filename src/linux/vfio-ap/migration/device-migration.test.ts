import { describe, expect, test } from "vitest";
import { MigratingDevice } from "../../../../test/support/migrating-device.ts";
import { exampleHost, type TestHost, uuids } from "../../../../test/support/test-host.ts";
import { prefixBytes } from "./configuration-data.ts";
import { setDeviceState } from "./device-migration.ts";

const [first] = uuids;

/** Adapters 5 and 6 with domain 4 in a guest. */
function withGuest(): { readonly host: TestHost; readonly device: MigratingDevice } {
  const host = exampleHost("7.2-migration");
  host.createMdev(first, { adapters: [5, 6], domains: [4], control: [0x47] });
  host.startGuest("guest1", first);
  host.forget();
  return { host, device: new MigratingDevice(host) };
}

const stateOf = (host: TestHost): string | undefined => host.guest("guest1").mdev?.migration?.state;
const reset = (host: TestHost): string => host.run(() => host.host.resetMdev(host.guest("guest1")));

describe("a device that is open", () => {
  test("is running, and goes to any state that it is told, by way of stop", () => {
    const { host, device } = withGuest();
    expect(stateOf(host)).toBe("running");
    for (const state of ["stop-copy", "stop", "stop-copy", "running", "stop", "running", "resuming"] as const) {
      expect(device.setState(state)).toBe("done");
      expect(stateOf(host)).toBe(state);
    }
  });

  test("cannot be told to fail: EINVAL, and nothing changes", () => {
    const { host, device } = withGuest();
    expect(device.setState("error")).toBe("EINVAL");
    expect(stateOf(host)).toBe("running");
  });

  test("keeps its queues, its guest's masks and what is in its files in every state", () => {
    const { host, device } = withGuest();
    for (const state of ["stop", "stop-copy", "running", "resuming"] as const) {
      device.setState(state);
      expect([host.apcb("guest1"), host.guestMatrix(first), host.resets(), host.log()]).toEqual([
        ["05.0004", "06.0004"],
        ["05.0004", "06.0004"],
        [],
        [],
      ]);
    }
  });

  test("can be changed in every state: nothing is held", () => {
    const { host, device } = withGuest();
    for (const state of ["stop", "stop-copy", "resuming"] as const) {
      device.setState(state);
      expect(host.assign(first, "domain", 0x47)).toBe("done");
      expect(host.unassign(first, "domain", 0x47)).toBe("done");
    }
  });

  test("tells how long its data would be now", () => {
    const { host } = withGuest();
    const bytes = (): number | undefined => host.guest("guest1").mdev?.migration?.currentDataBytes;
    expect(bytes()).toBe(48 + 2 * 16);
    host.assign(first, "domain", 0x47);
    expect(bytes()).toBe(48 + 4 * 16);
  });
});

describe("data that is not all there", () => {
  const prefix = Buffer.from("766661700000000100000001", "hex");

  test.each([
    ["none", Buffer.alloc(0)],
    ["a part of the prefix", prefix.subarray(0, 5)],
    ["the prefix", prefix],
    ["all but a byte", Buffer.concat([prefix, Buffer.alloc(48 + 16 - 1 - prefixBytes)])],
  ])("%s: never becomes a guest, EINVAL, and the device has failed until it is reset", (_, bytes) => {
    const { host, device } = withGuest();
    device.setState("resuming");
    if (bytes.length > 0) expect(device.write(bytes)).toBe("done");
    expect([device.setState("running"), stateOf(host)]).toEqual(["EINVAL", "error"]);
    for (const state of ["running", "stop", "stop-copy", "resuming"] as const) expect(device.setState(state)).toBe("EINVAL");
    expect([reset(host), stateOf(host), device.setState("stop")]).toEqual(["done", "running", "done"]);
    expect(host.matrix(first)).toEqual(["05.0004", "06.0004"]);
  });

  test("is so too when it was refused", () => {
    const { host, device } = withGuest();
    device.setState("resuming");
    expect(device.write(Buffer.alloc(48))).toBe("EINVAL");
    expect([device.setState("stop"), stateOf(host)]).toEqual(["EINVAL", "error"]);
  });
});

describe("a reset of the device", () => {
  test("ends what was under way: it is running, and the files are of an older session", () => {
    const { host, device } = withGuest();
    device.setState("stop-copy");
    expect(device.read(1)).toHaveLength(1);
    expect(reset(host)).toBe("done");
    expect([stateOf(host), device.read(1)]).toEqual(["running", "EINVAL"]);
    device.setState("resuming");
    reset(host);
    expect(device.write(Buffer.alloc(1))).toBe("ENXIO");
  });

  test("forgets what the source was when it was read", () => {
    const { host, device } = withGuest();
    device.save();
    host.assign(first, "domain", 0x47);
    reset(host);
    expect(device.save()).toHaveLength(48 + 4 * 16);
  });

  test("that fails changes no state", () => {
    const { host, device } = withGuest();
    device.setState("stop-copy");
    host.hardware((machine) => machine.setCheckstop(5, true));
    expect([reset(host), stateOf(host)]).toEqual(["EIO", "stop-copy"]);
  });
});

describe("a device that is not open", () => {
  test("counts as running, and has no other state: ENODEV", () => {
    const { host } = withGuest();
    const mdev = host.guest("guest1").mdev!;
    host.stopGuest("guest1");
    const set = (state: "running" | "stop"): unknown => host.runJob(setDeviceState(host.host.linux.vfioAp!, mdev, state));
    expect([set("running"), set("stop")]).toEqual([undefined, "ENODEV"]);
  });

  test("has forgotten the migration when it is opened again", () => {
    const { host, device } = withGuest();
    device.setState("stop-copy");
    device.read(1);
    host.stopGuest("guest1");
    host.startGuest("guest1", first);
    expect([stateOf(host), device.read(1)]).toEqual(["running", "EBADF"]);
  });
});

test("a source that has sent its data leaves its queues reset when it is closed", () => {
  const { host, device } = withGuest();
  device.save();
  expect(host.resets()).toEqual([]);
  expect(host.stopGuest("guest1")).toBe("done");
  expect(host.resets().sort()).toEqual(["ZAPQ 05.0004", "ZAPQ 06.0004"]);
  expect(host.apcb("guest1")).toEqual([]);
});

test("other kernels have no such states: ENOTTY", () => {
  for (const kernel of ["7.2", "6.12", "6.1", "6.0", "4.20"] as const) {
    const host = exampleHost(kernel);
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.startGuest("guest1", first);
    expect(new MigratingDevice(host).setState("stop")).toBe("ENOTTY");
  }
});
