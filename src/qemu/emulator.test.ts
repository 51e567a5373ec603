import { beforeEach, describe, expect, test } from "vitest";
import { namedCpuModel } from "./cpu/cpu-model.ts";
import { Emulator, type EmulatorEvent } from "./emulator.ts";
import type { EmulatorOptions } from "./emulator-options.ts";
import { defaultMachineType, machineType } from "./objects/machine-types.ts";
import { getProperty, listObject } from "./objects/object-queries.ts";
import { QemuError } from "./qemu-error.ts";
import { ToyGuestPort } from "./toy-guest-port.ts";

const uuid = "62177883-f1bb-47f0-914d-32a22e3a8804";
const path = `/sys/bus/mdev/devices/${uuid}`;

let port: ToyGuestPort;
let events: EmulatorEvent[];
let lines: string[];

beforeEach(() => {
  port = new ToyGuestPort();
  port.mdevs.set(path, { isPlugged: true, irqs: 2 });
  events = [];
  lines = [];
});

async function started(options: Partial<EmulatorOptions> = {}, isPaused = false): Promise<Emulator> {
  const emulator = new Emulator({ name: "guest1", port, nowMs: () => 0, report: (line) => lines.push(line), ...options });
  emulator.onEvent((event) => events.push(event));
  await emulator.create();
  await emulator.begin({ isPaused });
  return emulator;
}

const device = (options: Readonly<Record<string, unknown>> = {}): Map<string, unknown> =>
  new Map(Object.entries({ driver: "vfio-ap", sysfsdev: path, ...options }));

const names = (): string[] => events.map(({ event }) => event);

/** What the host or the guest told comes in its turn. */
const settled = (emulator: Emulator): Promise<void> => emulator.exclusively(async () => {});

describe("the run state", () => {
  test("is running after a start, and prelaunch with -S until cont", async () => {
    expect((await started()).runState).toBe("running");
    const paused = await started({}, true);
    expect(paused.runState).toBe("prelaunch");
    await paused.cont();
    expect(paused.runState).toBe("running");
    expect(names()).toEqual(["RESUME", "RESUME"]);
  });

  test("changes once only for several stops and conts", async () => {
    const emulator = await started();
    for (let times = 0; times < 2; times++) await emulator.stop();
    expect(emulator.runState).toBe("paused");
    for (let times = 0; times < 2; times++) await emulator.cont();
    expect(names()).toEqual(["RESUME", "STOP", "RESUME"]);
    expect(port.calls).toEqual(["create", "run", "pause", "run"]);
  });

  test("is prelaunch after a reset of a guest that does not run", async () => {
    const emulator = await started();
    await emulator.stop();
    await emulator.systemReset();
    expect(emulator.runState).toBe("prelaunch");
    expect(events.at(-1)).toEqual({ event: "RESET", data: { guest: false, reason: "host-qmp-system-reset" } });
  });

  test("stays shutdown with -no-shutdown, and only a reset helps", async () => {
    const emulator = await started({ actions: { shutdown: "pause", reboot: "reset" } });
    await emulator.systemPowerdown();
    expect(emulator.runState).toBe("shutdown");
    expect(names()).toEqual(["RESUME", "POWERDOWN", "SHUTDOWN", "STOP"]);
    await expect(emulator.cont()).rejects.toThrow("Resetting the Virtual Machine is required");
    await emulator.systemReset();
    await emulator.cont();
    expect(emulator.runState).toBe("running");
  });
});

describe("a power button", () => {
  test("makes the guest power off, which ends the emulator with status 0", async () => {
    const emulator = await started();
    await emulator.systemPowerdown();
    expect(events.slice(1)).toEqual([{ event: "POWERDOWN" }, { event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } }]);
    expect(await emulator.ended).toBe(0);
    expect(port.calls.at(-1)).toBe("destroy");
  });

  test("is heard by a stopped guest when it goes on", async () => {
    const emulator = await started();
    await emulator.stop();
    await emulator.systemPowerdown();
    expect(port.calls).not.toContain("powerOff");
    await emulator.cont();
    expect(await emulator.ended).toBe(0);
  });
});

describe("the guest's own Linux", () => {
  test("powers off", async () => {
    const emulator = await started();
    port.events.guestStopped("shutdown");
    expect(await emulator.ended).toBe(0);
    expect(events.at(-1)).toEqual({ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } });
  });

  test("reboots, and goes on running", async () => {
    const emulator = await started();
    port.events.guestStopped("reset");
    await settled(emulator);
    expect(events.at(-1)).toEqual({ event: "RESET", data: { guest: true, reason: "guest-reset" } });
    expect(emulator.runState).toBe("running");
  });

  test("ends with a reboot under -no-reboot", async () => {
    const emulator = await started({ actions: { shutdown: "poweroff", reboot: "shutdown" } });
    port.events.guestStopped("reset");
    expect(await emulator.ended).toBe(0);
    expect(events.at(-1)).toEqual({ event: "SHUTDOWN", data: { guest: true, reason: "guest-reset" } });
  });
});

describe("an end", () => {
  test.each(["host-qmp-quit", "host-signal", "host-ui"] as const)("by %s is told and gives the guest back", async (reason) => {
    const emulator = await started();
    await emulator.quit(reason);
    await emulator.quit(reason);
    expect(events.at(-1)).toEqual({ event: "SHUTDOWN", data: { guest: false, reason } });
    expect(port.calls.filter((call) => call === "destroy")).toHaveLength(1);
    expect(await emulator.ended).toBe(0);
  });

  test("of the host ends the guest with a message and status 1", async () => {
    const emulator = await started();
    port.events.hostEnded();
    expect(await emulator.ended).toBe(1);
    expect(lines).toEqual(["the host has ended, and this guest with it"]);
    expect(port.calls).not.toContain("destroy");
  });
});

test("refuses a name that another guest of the host has", async () => {
  port.takenNames.add("guest1");
  await expect(started()).rejects.toThrow("guest name 'guest1' is taken by another guest of this host");
});

test("gives the port the features that the processor has", async () => {
  const cpu = namedCpuModel("z14", port.offer);
  await started({ machine: { type: defaultMachineType, cpus: 1, maxCpus: 1, memoryBytes: 0, cpu } });
  expect(port.created).toEqual({ name: "guest1", features: { ap: false, apqci: false, apft: false, apqi: false } });
});

test("needs no host for an empty machine", async () => {
  const emulator = await started({ machine: { type: machineType("none")!, cpus: 1, maxCpus: 1, memoryBytes: 0, cpu: undefined } });
  await emulator.systemReset();
  await emulator.quit("host-qmp-quit");
  expect(port.calls.filter((call) => call !== "destroy")).toEqual([]);
});

describe("a vfio-ap device", () => {
  test("is an object below /machine/peripheral, and on the AP bus", async () => {
    const emulator = await started();
    await emulator.addDevice(device({ id: "hostdev0" }));
    expect(listObject(emulator.objects, "/machine/peripheral")).toContainEqual({ name: "hostdev0", type: "child<vfio-ap>" });
    expect(getProperty(emulator.objects, "/machine/peripheral/hostdev0", "sysfsdev")).toBe(path);
    expect(getProperty(emulator.objects, "/machine/peripheral/hostdev0", "parent_bus")).toBe("/machine/ap-bridge/ap-bus");
    expect(emulator.vfioAp?.id).toBe("hostdev0");
  });

  test("without an id is numbered, and its event has no name", async () => {
    const emulator = await started();
    await emulator.addDevice(device());
    await emulator.deleteDevice("/machine/peripheral-anon/device[0]");
    expect(events.at(-1)).toEqual({ event: "DEVICE_DELETED", data: { path: "/machine/peripheral-anon/device[0]" } });
  });

  test("goes by its id, and another one may come", async () => {
    const emulator = await started();
    await emulator.addDevice(device({ id: "h0" }));
    await emulator.deleteDevice("h0");
    expect(events.at(-1)).toEqual({ event: "DEVICE_DELETED", data: { device: "h0", path: "/machine/peripheral/h0" } });
    await emulator.addDevice(device({ id: "h0" }));
    expect(port.calls.filter((call) => call === `plug ${path}`)).toHaveLength(2);
  });

  test("goes when the host asks for it", async () => {
    const emulator = await started();
    await emulator.addDevice(device({ id: "h0" }));
    port.events.deviceRequested();
    await settled(emulator);
    expect(events.at(-1)).toEqual({ event: "DEVICE_DELETED", data: { device: "h0", path: "/machine/peripheral/h0" } });
    expect(emulator.vfioAp).toBeUndefined();
  });

  test("that cannot be reset is told by its name", async () => {
    const emulator = await started();
    await emulator.addDevice(device());
    port.resetErrno = "EIO";
    await emulator.systemReset();
    expect(lines).toEqual([`vfio_ap_reset: failed to reset ${uuid} device: Input/output error`]);
  });

  test("is refused with -only-migratable", async () => {
    const emulator = await started({ isMigratableOnly: true });
    await expect(emulator.addDevice(device())).rejects.toThrow("Device vfio-ap is not migratable, but --only-migratable was specified");
  });
});

describe("device_del", () => {
  test.each([
    ["nosuch", "Device 'nosuch' not found", "DeviceNotFound"],
    ["/nosuch", "Device '/nosuch' not found", "DeviceNotFound"],
    ["/machine", "/machine is not a hotpluggable device", "GenericError"],
    ["/machine/unattached/device[0]", "CPU hot unplug not supported on this machine", "GenericError"],
    ["/machine/ap-bridge", "Bus 'main-system-bus' does not support hotplugging", "GenericError"],
  ])("of %s is refused", async (id, text, errorClass) => {
    const emulator = await started();
    const error = await emulator.deleteDevice(id).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QemuError);
    expect(error).toMatchObject({ message: text, errorClass });
  });

  test("of a virtio device deletes its back end first", async () => {
    const emulator = await started();
    await emulator.addDevice(device({ driver: "virtio-net-ccw", id: "n0", sysfsdev: undefined }));
    await emulator.deleteDevice("n0");
    expect(events.slice(-2).map(({ data }) => data)).toEqual([
      { path: "/machine/peripheral/n0/virtio-backend" },
      { device: "n0", path: "/machine/peripheral/n0" },
    ]);
  });
});

test("does one thing after the other", async () => {
  const emulator = await started();
  const order: number[] = [];
  let release = (): void => {};
  const first = emulator.exclusively(() => new Promise<void>((resolve) => (release = resolve)).then(() => void order.push(1)));
  const second = emulator.exclusively(async () => void order.push(2));
  const failing = emulator.exclusively(() => Promise.reject(new Error("no")));
  await Promise.resolve();
  release();
  await Promise.all([first, second]);
  await expect(failing).rejects.toThrow("no");
  expect(order).toEqual([1, 2]);
});
