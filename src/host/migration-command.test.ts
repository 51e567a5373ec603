import { describe, expect, test } from "vitest";
import { exampleHost, matrix, type TestHost, uuids } from "../../test/support/test-host.ts";
import type { GenerationName } from "../linux/generation.ts";
import { Errno } from "../sysfs/errno.ts";
import { Wait } from "../sysfs/wait.ts";

/** The vfio-ap device of a guest moves by the commands of two hosts. */
const [uuid] = uuids;
const sysfsdev = `${matrix}/${uuid}`;
const features = { ap: true, apqci: true, apft: true, apqi: true };

function command(host: TestHost, action: string, parameters: Readonly<Record<string, unknown>> = {}): unknown {
  try {
    const result = host.host.command({ do: "guest", action, guest: "guest1", ...parameters });
    return result instanceof Wait ? host.ended(result, action) : result;
  } catch (error) {
    if (error instanceof Errno) return error.code;
    throw error;
  }
}

/** A host with a guest that has the device. */
function hostWithGuest(kernel: GenerationName = "7.2-migration"): TestHost {
  const host = exampleHost(kernel);
  host.createMdev(uuid);
  command(host, "create", { features });
  command(host, "plug", { sysfsdev });
  return host;
}

function source(): TestHost {
  const host = hostWithGuest();
  host.assign(uuid, "adapter", 5);
  host.assign(uuid, "domain", 4);
  host.assign(uuid, "control_domain", 4);
  return host;
}

function dataOf(host: TestHost): string[] {
  command(host, "device-state", { state: "stop-copy" });
  const pieces: string[] = [];
  for (let piece = ""; ; pieces.push(piece)) {
    piece = command(host, "device-read", { maxBytes: 20 }) as string;
    if (piece === "") return pieces;
  }
}

describe("a device", () => {
  test("comes to another host with what its guest had, and is running there", () => {
    const [from, to] = [source(), hostWithGuest()];
    expect(command(to, "device-state", { state: "resuming" })).toBeUndefined();
    for (const bytes of dataOf(from)) expect(command(to, "device-write", { bytes })).toBeUndefined();
    expect(command(to, "device-state", { state: "running" })).toBeUndefined();
    expect([to.matrix(uuid), to.guestMatrix(uuid), to.apcb("guest1"), to.adm("guest1")]).toEqual([
      ["05.0004"],
      ["05.0004"],
      ["05.0004"],
      [4],
    ]);
  });

  test("is migratable as plugging says", () => {
    const plugged = (kernel: GenerationName): unknown => {
      const host = hostWithGuest(kernel);
      command(host, "unplug");
      return command(host, "plug", { sysfsdev });
    };
    expect(plugged("7.2-migration")).toEqual({ isPlugged: true, irqs: 2, isMigratable: true });
    expect(plugged("7.2")).toEqual({ isPlugged: true, irqs: 2, isMigratable: false });
  });

  test("refuses with ENOTTY where the kernel cannot", () => {
    expect(command(hostWithGuest("7.2"), "device-state", { state: "stop" })).toBe("ENOTTY");
  });

  test("refuses with ENODEV where none is plugged", () => {
    const host = hostWithGuest();
    command(host, "unplug");
    expect(command(host, "device-state", { state: "stop" })).toBe("ENODEV");
  });

  test("has nothing to read or to write with EBADF before a state gives it", () => {
    const host = source();
    expect([command(host, "device-read", { maxBytes: 1 }), command(host, "device-write", { bytes: "AA==" })]).toEqual(["EBADF", "EBADF"]);
    command(host, "device-state", { state: "stop-copy" });
    expect(command(host, "device-write", { bytes: "AA==" })).toBe("EBADF");
    command(host, "device-state", { state: "resuming" });
    expect(command(host, "device-read", { maxBytes: 1 })).toBe("EBADF");
  });
});

describe("a guest's Linux", () => {
  const devices = "/sys/bus/ap/devices";
  const guestDevices = (host: TestHost): string[] =>
    host.host.list(devices, host.guest("guest1").model?.linux).map((entry) => entry.split(" ", 1)[0] ?? "");
  const take = (host: TestHost): void => {
    command(host, "device-state", { state: "resuming" });
    for (const bytes of dataOf(source())) command(host, "device-write", { bytes });
    expect(command(host, "device-state", { state: "running" })).toBeUndefined();
  };

  test("finds the queues at once where it runs when they come", () => {
    const host = hostWithGuest();
    command(host, "run");
    host.host.settle();
    expect(guestDevices(host)).toEqual([]);
    take(host);
    host.host.settle();
    expect(guestDevices(host)).toEqual(["05.0004", "card05"]);
  });

  test("finds them when it goes on, where it is paused", () => {
    const host = hostWithGuest();
    command(host, "run");
    host.host.settle();
    command(host, "pause");
    take(host);
    host.host.settle();
    expect(guestDevices(host)).toEqual([]);
    command(host, "run");
    host.host.settle();
    expect(guestDevices(host)).toEqual(["05.0004", "card05"]);
  });

  test("finds them when it boots", () => {
    const host = hostWithGuest();
    take(host);
    command(host, "run");
    host.host.settle();
    expect(guestDevices(host)).toEqual(["05.0004", "card05"]);
  });
});
