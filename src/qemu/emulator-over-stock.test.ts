import { beforeEach, describe, expect, test } from "vitest";
import { Emulator, type EmulatorEvent } from "./emulator.ts";
import type { EmulatorOptions } from "./emulator-options.ts";
import { listObject } from "./objects/object-queries.ts";
import { QemuError } from "./qemu-error.ts";
import { ToyGuestPort } from "./toy-guest-port.ts";
import { ToyStockMonitor } from "./toy-stock-monitor.ts";

/** An emulator whose guest has processors and devices of a stock QEMU. */
const path = "/sys/bus/mdev/devices/62177883-f1bb-47f0-914d-32a22e3a8804";

let port: ToyGuestPort;
let stock: ToyStockMonitor;
let events: EmulatorEvent[];
let lines: string[];

beforeEach(() => {
  port = new ToyGuestPort();
  port.mdevs.set(path, { isPlugged: true, irqs: 2 });
  port.powerOffOutcome = "asked";
  stock = new ToyStockMonitor();
  events = [];
  lines = [];
});

async function started(options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = new Emulator({ name: "guest1", port, stock, nowMs: () => 0, report: (line) => lines.push(line), ...options });
  await emulator.create();
  await emulator.begin({ isPaused: false });
  emulator.onEvent((event) => events.push(event));
  return emulator;
}

const vfioAp = new Map([
  ["driver", "vfio-ap"],
  ["id", "h0"],
  ["sysfsdev", path],
]);
const device = (driver: string, more: Readonly<Record<string, unknown>> = {}) =>
  new Map<string, unknown>(Object.entries({ driver, ...more }));
const peripherals = (emulator: Emulator): string[] => listObject(emulator.objects, "/machine/peripheral").map(({ name }) => name);
/** What was told comes in its turn. */
const settled = (emulator: Emulator): Promise<void> => emulator.exclusively(async () => {});

test("the guest is a real one to the host", async () => {
  await started();
  expect(port.created).toMatchObject({ name: "guest1", kind: "real" });
});

describe("device_add", () => {
  test("of vfio-ap is done by the host, and the stock QEMU hears nothing", async () => {
    const emulator = await started();
    await emulator.addDevice(vfioAp);
    expect(port.calls).toContain(`plug ${path}`);
    expect(stock.commands).toEqual([]);
    expect(emulator.vfioAp?.id).toBe("h0");
  });

  test("of any other device is done by the stock QEMU, with all that it says", async () => {
    const emulator = await started();
    await emulator.addDevice(device("virtio-rng-ccw", { id: "r0", "max-bytes": 1024 }));
    expect(stock.commands).toEqual([["device_add", { driver: "virtio-rng-ccw", id: "r0", "max-bytes": 1024 }]]);
    expect(peripherals(emulator)).toContain("r0");
  });

  test("of what only the stock QEMU knows is for it to take or to refuse", async () => {
    const emulator = await started();
    await emulator.addDevice(device("vhost-user-gpu-ccw", { id: "g0" }));
    expect(stock.commands).toEqual([["device_add", { driver: "vhost-user-gpu-ccw", id: "g0" }]]);
    stock.answers.set("device_add", new QemuError("'bogus' is not a valid device model name"));
    await expect(emulator.addDevice(device("bogus"))).rejects.toThrow("'bogus' is not a valid device model name");
  });

  test("that the stock QEMU refuses leaves no device here", async () => {
    const emulator = await started();
    stock.answers.set("device_add", new QemuError("no room"));
    await expect(emulator.addDevice(device("virtio-rng-ccw", { id: "r0" }))).rejects.toThrow("no room");
    expect(peripherals(emulator)).not.toContain("r0");
  });

  test("of the command line is not repeated, since the stock QEMU was started with it", async () => {
    const emulator = new Emulator({ name: "guest1", port, stock, nowMs: () => 0 });
    await emulator.create();
    await emulator.addDevice(device("virtio-rng-ccw", { id: "r0" }));
    await emulator.addDevice(device("vhost-user-gpu-ccw", { id: "g0" }));
    await emulator.begin({ isPaused: false });
    expect(stock.commands).toEqual([]);
    expect(peripherals(emulator)).toContain("r0");
  });
});

describe("device_del", () => {
  test.each(["h0", "/machine/peripheral/h0"])("of the vfio-ap device as %s is done by the host", async (id) => {
    const emulator = await started();
    await emulator.addDevice(vfioAp);
    await emulator.deleteDevice(id);
    expect(port.calls).toContain("unplug");
    expect(stock.commands).toEqual([]);
    expect(events).toEqual([{ event: "DEVICE_DELETED", data: { device: "h0", path: "/machine/peripheral/h0" } }]);
  });

  test.each(["r0", "/machine/peripheral/r0", "/machine/peripheral-anon/device[3]", "nosuch"])("of %s is the stock QEMU's", async (id) => {
    const emulator = await started();
    await emulator.addDevice(device("virtio-rng-ccw", { id: "r0" }));
    await emulator.deleteDevice(id);
    expect(stock.commands.at(-1)).toEqual(["device_del", { id }]);
  });

  test("leaves a device of the stock QEMU here until that says that it is gone", async () => {
    const emulator = await started();
    await emulator.addDevice(device("virtio-rng-ccw", { id: "r0" }));
    await emulator.deleteDevice("r0");
    expect(peripherals(emulator)).toContain("r0");
    expect(events).toEqual([]);
    stock.tell("DEVICE_DELETED", { device: "r0", path: "/machine/peripheral/r0" });
    expect(peripherals(emulator)).not.toContain("r0");
    expect(events).toEqual([{ event: "DEVICE_DELETED", data: { device: "r0", path: "/machine/peripheral/r0" } }]);
    await emulator.addDevice(device("virtio-rng-ccw", { id: "r0" }));
  });
});

describe("an event of the stock QEMU", () => {
  test("is passed on", async () => {
    await started();
    stock.tell("VSERPORT_CHANGE", { open: true, id: "port0" });
    stock.tell("BLOCK_JOB_READY");
    expect(events).toEqual([{ event: "VSERPORT_CHANGE", data: { open: true, id: "port0" } }, { event: "BLOCK_JOB_READY" }]);
  });

  test.each(["STOP", "RESUME", "SHUTDOWN", "RESET", "POWERDOWN"])("of its own run state, %s, is not", async (event) => {
    await started();
    stock.tell(event, { guest: true });
    expect(events).toEqual([]);
  });

  test("of a device that is gone and was never known here changes nothing", async () => {
    const emulator = await started();
    const before = peripherals(emulator);
    stock.tell("DEVICE_DELETED", { device: "nosuch", path: "/x" });
    stock.tell("DEVICE_DELETED", { path: "/machine/peripheral/r0/virtio-backend" });
    expect(peripherals(emulator)).toEqual(before);
    expect(events).toHaveLength(2);
  });
});

describe("a power button", () => {
  test("is told to the guest, which goes on until it obeys", async () => {
    const emulator = await started();
    await emulator.systemPowerdown();
    expect(port.calls.at(-1)).toBe("powerOff");
    expect([emulator.runState, emulator.hasEnded]).toEqual(["running", false]);
    expect(events).toEqual([{ event: "POWERDOWN" }]);
    port.events.guestStopped("shutdown");
    expect(await emulator.ended).toBe(0);
    expect(events.slice(1)).toEqual([{ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } }]);
  });
});

describe("a guest that panics", () => {
  const panic = async (emulator: Emulator): Promise<void> => {
    port.events.guestStopped("panic");
    stock.tell("GUEST_PANICKED", { action: "pause" });
    await settled(emulator);
  };

  test("ends, with the event before its end", async () => {
    const emulator = await started();
    await panic(emulator);
    expect(events).toEqual([
      { event: "GUEST_PANICKED", data: { action: "pause" } },
      { event: "SHUTDOWN", data: { guest: true, reason: "guest-panic" } },
    ]);
    expect(await emulator.ended).toBe(0);
    expect(port.calls.at(-1)).toBe("destroy");
  });

  test("stands as it is with -no-shutdown, and may go on", async () => {
    const emulator = await started({ actions: { shutdown: "pause", reboot: "reset" } });
    await panic(emulator);
    expect(emulator.runState).toBe("guest-panicked");
    expect(events.map(({ event }) => event)).toEqual(["GUEST_PANICKED", "STOP"]);
    expect(port.calls.at(-1)).toBe("pause");
    await emulator.cont();
    expect(emulator.runState).toBe("running");
  });
});

describe("a stock QEMU that ends by itself", () => {
  test("ends the guest with a message and status 1, and gives it back", async () => {
    const emulator = await started();
    await emulator.addDevice(vfioAp);
    port.events.stockEnded?.("signal SIGKILL");
    expect(await emulator.ended).toBe(1);
    expect(lines).toEqual(["the QEMU that runs this guest ended: signal SIGKILL"]);
    expect(events).toEqual([{ event: "SHUTDOWN", data: { guest: false, reason: "host-error" } }]);
    expect(port.calls.at(-1)).toBe("destroy");
  });

  test("after the guest ended says nothing", async () => {
    const emulator = await started();
    await emulator.quit("host-qmp-quit");
    port.events.stockEnded?.("exit status 0");
    await settled(emulator);
    expect(lines).toEqual([]);
    expect(port.calls.filter((call) => call === "destroy")).toHaveLength(1);
  });

  test("comes after what was begun before", async () => {
    const emulator = await started();
    let release = (): void => {};
    const earlier = emulator.exclusively(() => new Promise<void>((resolve) => (release = resolve)));
    port.events.stockEnded?.("exit status 1");
    await Promise.resolve();
    expect(emulator.hasEnded).toBe(false);
    release();
    await earlier;
    expect(await emulator.ended).toBe(1);
  });
});
