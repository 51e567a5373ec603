import { describe, expect, test } from "vitest";
import { MigratingDevice } from "../../../../test/support/migrating-device.ts";
import { exampleHost, type TestHost, uuids } from "../../../../test/support/test-host.ts";
import { decodeConfiguration } from "./configuration-data.ts";
import type { SourceFile } from "./source-file.ts";

const [first] = uuids;

function withGuest(machine: { readonly announcesChanges?: boolean } = {}): { readonly host: TestHost; readonly device: MigratingDevice } {
  const host = exampleHost("7.2-migration", { machine });
  host.createMdev(first, { adapters: [5, 6], domains: [4, 0x47], control: [4, 0xab] });
  host.startGuest("guest1", first);
  host.forget();
  return { host, device: new MigratingDevice(host) };
}

const queuesIn = (data: Uint8Array): number[] => decodeConfiguration(data).queues.map(({ queue }) => queue);
const fileOf = (host: TestHost): SourceFile => host.guest("guest1").deviceData as SourceFile;

describe("what is read", () => {
  test("is the guest's queues, adapter by adapter, with what TAPQ says, and its control domains", () => {
    const { host, device } = withGuest();
    const data = device.save();
    const { queues, controlDomains } = decodeConfiguration(data);
    expect(queues.map(({ queue }) => queue)).toEqual([0x0504, 0x0547, 0x0604, 0x0647]);
    expect([...controlDomains]).toEqual([4, 0xab]);
    for (const { queue, high, low } of queues) {
      const tapq = host.host.linux.bus.instructions.tapq(queue);
      expect([high, low]).toEqual([tapq.high, tapq.low]);
      expect(low >>> 24).toBe(11);
    }
  });

  test("is what the guest has, not what is assigned", () => {
    const { host, device } = withGuest();
    host.write("/sys/bus/ap/drivers/vfio_ap/unbind", "05.0047");
    host.assign(first, "domain", 0x50);
    expect(host.matrix(first)).toHaveLength(6);
    expect(queuesIn(device.save())).toEqual([0x0604, 0x0647]);
  });

  test("is a header alone where the guest has nothing", () => {
    const host = exampleHost("7.2-migration");
    host.createMdev(first);
    host.startGuest("guest1", first);
    expect(new MigratingDevice(host).save()).toHaveLength(48);
  });

  test.each([1, 7, 16, 113, 4096])("is the same in pieces of %i bytes, and then nothing more comes", (bytes) => {
    const { device } = withGuest();
    const whole = device.save();
    device.setState("stop");
    device.setState("stop-copy");
    expect(device.readAll(bytes)).toEqual(whole);
    expect([device.read(bytes), device.read(bytes)]).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
  });

  test("is as it was when it was first read, also in another session, until the device is reset", () => {
    const { host, device } = withGuest();
    device.setState("stop-copy");
    device.read(1);
    host.unassign(first, "adapter", 5);
    expect(device.readAll()).toHaveLength(48 + 4 * 16 - 1);
    device.setState("running");
    expect(device.save()).toHaveLength(48 + 4 * 16);
    host.run(() => host.host.resetMdev(host.guest("guest1")));
    expect(device.save()).toHaveLength(48 + 2 * 16);
  });

  test("goes on after the state was left, as long as no other session begins", () => {
    const { device } = withGuest();
    device.setState("stop-copy");
    device.read(40);
    device.setState("running");
    expect(device.readAll()).toHaveLength(48 + 4 * 16 - 40);
  });
});

describe("a read ends with", () => {
  test("ENODEV once the device was closed, also when it is open again", () => {
    const { host, device } = withGuest();
    device.setState("stop-copy");
    const file = fileOf(host);
    host.stopGuest("guest1");
    expect(host.runJob(file.read(1))).toBe("ENODEV");
    host.startGuest("guest1", first);
    expect(host.runJob(file.read(1))).toBe("EINVAL");
  });

  test("EINVAL where a newer session has begun", () => {
    const { host, device } = withGuest();
    device.setState("stop-copy");
    const file = fileOf(host);
    device.setState("stop");
    device.setState("stop-copy");
    expect(host.runJob(file.read(1))).toBe("EINVAL");
    expect(device.readAll()).toHaveLength(48 + 4 * 16);
  });

  test("ENODEV and a line for the first queue that is not there", () => {
    const { host, device } = withGuest({ announcesChanges: false });
    host.hardware((machine) => machine.removeAdapter(5));
    device.setState("stop-copy");
    expect(device.read(1)).toBe("ENODEV");
    expect(host.log()).toEqual([`<3>vfio_ap_mdev ${first}: Failed to get hwinfo for queue 05.0004: TAPQ rc=1`]);
    host.addAdapter(5, "CEX5C");
    expect(device.readAll()).toHaveLength(48 + 4 * 16);
  });
});

describe("a queue says what it is", () => {
  test.each([
    ["deconfigured", (host: TestHost) => host.hardware((machine) => machine.setConfigured(5, false))],
    ["checkstopped", (host: TestHost) => host.hardware((machine) => machine.setCheckstop(5, true))],
    ["being reset", (host: TestHost) => host.host.linux.bus.instructions.zapq(0x0504)],
  ])("also when it is %s", (_, change) => {
    const host = exampleHost("7.2-migration", { machine: { resetDurationMs: 50, announcesChanges: false } });
    host.createMdev(first, { adapters: [5], domains: [4] });
    host.startGuest("guest1", first);
    change(host);
    host.forget();
    expect(queuesIn(new MigratingDevice(host).save())).toEqual([0x0504]);
    expect(host.log()).toEqual([]);
  });
});
