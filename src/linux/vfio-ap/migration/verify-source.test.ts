import { describe, expect, test } from "vitest";
import { MigratingDevice } from "../../../../test/support/migrating-device.ts";
import { four, occupied, sent, side } from "../../../../test/support/migration-sides.ts";
import { exampleMachine, TestHost, uuids } from "../../../../test/support/test-host.ts";

const [first, second] = uuids;
const bus = "/sys/bus/ap";
const data = sent();
const line = (text: string): string => `<3>vfio_ap_mdev ${first}: ${text}`;

describe("a take-over that the host cannot have leaves everything as it was", () => {
  test("ENODEV and a line for every queue that vfio_ap has not, before control domains are looked at", () => {
    const { host, device, expectAsBefore } = occupied();
    host.write(`${bus}/drivers/vfio_ap/unbind`, "05.0004");
    host.hardware((machine) => {
      machine.setUsageDomain(0x47, false);
      machine.setControlDomain(4, false);
    });
    host.forget();
    expect(device.write(data)).toBe("ENODEV");
    expect(host.log()).toEqual(
      ["05.0004", "05.0047", "06.0047"].map((queue) => line(`Queue ${queue} not available to vfio_ap driver on target host`)),
    );
    expectAsBefore();
  });

  test("ENODEV and a line for every control domain that the host has not", () => {
    const { host, device, expectAsBefore } = occupied({ control: [0xff] });
    const source = side();
    for (const id of [4, 0x47]) source.host.assign(first, "control_domain", id);
    expect(device.write(source.device.save())).toBe("ENODEV");
    expect(host.log()).toEqual(
      ["0004", "0047"].map((domain) => `<3>vfio_ap_mdev: ${first}: Control domain ${domain} not available on the destination host`),
    );
    expectAsBefore();
  });

  test("ENODEV and a line for every queue that went since the last scan; all of them are asked", () => {
    const { host, device, expectAsBefore } = occupied({ machine: { announcesChanges: false } });
    host.hardware((machine) => machine.removeAdapter(5));
    expect(device.write(data)).toBe("ENODEV");
    expect(host.log()).toEqual(["05.0004", "05.0047"].map((queue) => line(`Failed to get hwinfo for queue ${queue}: TAPQ rc=1`)));
    expectAsBefore();
  });

  test("EINVAL and lines for every queue that is another one, of the source first", () => {
    const { host, device, expectAsBefore } = occupied({ adapters: { 5: "CEX4C", 6: "CEX5A" } });
    expect(device.write(data)).toBe("EINVAL");
    expect(host.log()).toEqual(
      ["05.0004", "05.0047"].flatMap((queue) => [
        line(`Migration failed: Source and target queue (${queue}) not compatible`),
        line("AP type of source (0b) not compatible with target (0a)"),
      ]),
    );
    expectAsBefore();
  });

  test("with the errno of the last queue that stands in the way", () => {
    const { host, device } = occupied({ adapters: { 5: "CEX4C", 6: "CEX5A" }, machine: { announcesChanges: false } });
    host.hardware((machine) => machine.removeAdapter(6));
    expect(device.write(data)).toBe("ENODEV");
    expect(host.log().map((text) => text.split(" ").slice(2, 4).join(" "))).toEqual([
      "Migration failed:",
      "AP type",
      "Migration failed:",
      "AP type",
      "Failed to",
      "Failed to",
    ]);
  });

  test("EADDRNOTAVAIL without a line where vfio_ap still has a queue that is the host's again", () => {
    const host = new TestHost({ ...exampleMachine, kernel: "7.2-migration" });
    for (const queue of four) {
      host.write(`${bus}/devices/${queue}/driver_override`, "vfio_ap\n");
      host.write(`${bus}/drivers/cex4queue/unbind`, queue);
      host.write(`${bus}/drivers/vfio_ap/bind`, queue);
    }
    host.write(`${bus}/devices/06.0047/driver_override`, "\n");
    expect(host.boundTo("vfio_ap")).toEqual(four);
    host.createMdev(first);
    host.startGuest("guest1", first);
    host.forget();
    expect([new MigratingDevice(host).load(data), host.matrix(first), host.log()]).toEqual(["EADDRNOTAVAIL", [], []]);
  });

  test("EADDRINUSE and a line for every queue that another mediated device has", () => {
    const { host, device, expectAsBefore } = occupied();
    host.createMdev(second, { adapters: [5], domains: [4, 0x47] });
    host.forget();
    expect(device.write(data)).toBe("EADDRINUSE");
    expect(host.log()).toEqual(
      ["05.0004", "05.0047"].map(
        (queue) => `<4>vfio_ap_mdev ${first}: Userspace may not assign queue ${queue} to mdev: already assigned to ${second}`,
      ),
    );
    expectAsBefore();
  });

  test("ENODEV without a line for what is above the greatest number of the device", () => {
    const source = side();
    source.host.assign(first, "control_domain", 0xff);
    const { host, device } = side({ machine: { maxDomain: 0xfe } });
    expect([device.load(source.device.save()), host.matrix(first), host.log()]).toEqual(["ENODEV", [], []]);
  });
});

test("of lines of one kind ten are written, and what was dropped is counted when the next one comes five seconds later", () => {
  const domains = Array.from({ length: 12 }, (_, domain) => domain);
  const source = side({ usage: [4, 0x47, 0xab, 0xff, ...domains] });
  source.host.write(`${bus}/apmask`, "-5\n");
  source.host.assign(first, "adapter", 5);
  for (const domain of domains.filter((domain) => domain !== 4)) source.host.assign(first, "domain", domain);
  const bytes = source.device.save();
  const { host, device } = side();
  expect(device.load(bytes)).toBe("ENODEV");
  expect(host.log()).toHaveLength(10);
  host.advance(5001);
  host.run(() => host.host.resetMdev(host.guest("guest1")));
  expect(device.load(bytes)).toBe("ENODEV");
  expect(host.log()[0]).toBe("<4>queues_available: 1 callbacks suppressed");
});
