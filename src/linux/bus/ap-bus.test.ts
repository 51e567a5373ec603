import { describe, expect, test } from "vitest";
import { exampleMachine, matrix, TestHost, uuids } from "../../../test/support/test-host.ts";
import { adapterProfile } from "../../machine/adapter-profile.ts";
import { fullMachine } from "../../machine/lpar.ts";

const bus = "/sys/bus/ap";
const zeros = (count: number): string => "0".repeat(count);
const ones = `0x${"f".repeat(64)}\n`;
const none = `0x${zeros(64)}\n`;

describe("the kernel command line", () => {
  const parameter = "/sys/module/ap/parameters";

  test("without parameters leaves all queues to the host, and prints what nobody gave as (null)", () => {
    const host = new TestHost();
    expect([host.read(`${bus}/apmask`), host.read(`${bus}/aqmask`)]).toEqual([ones, ones]);
    expect(["apmask", "aqmask", "domain", "poll_thread", "useirq"].map((name) => host.read(`${parameter}/${name}`))).toEqual([
      "(null)\n",
      "(null)\n",
      "-1\n",
      "0\n",
      "1\n",
    ]);
  });

  test.each([
    ["ap.apmask=0xffff", `0xffff${zeros(60)}\n`],
    ["ap.apmask=+5", `0x04${zeros(62)}\n`],
    ["ap.apmask=-5", none],
    ["ap.apmask=nonsense", none],
    ["ap.apmask=0xffffg", none],
    ["ap.apmask=", none],
    ["ap.apmask=+0-255,-5,-6", `0xf9${"f".repeat(62)}\n`],
  ])("%s makes the mask %s", (cmdline, mask) => {
    const host = new TestHost({ cmdline });
    expect(host.read(`${bus}/apmask`)).toBe(mask);
    expect(host.read(`${parameter}/apmask`)).toBe(`${cmdline.slice("ap.apmask=".length)}\n`);
    expect(host.read(`${bus}/aqmask`)).toBe(ones);
  });

  test("masks of it do not count as in use: an override is still taken", () => {
    const host = new TestHost({ ...exampleMachine, cmdline: "ap.apmask=0x0" });
    expect(host.write(`${bus}/devices/05.0004/driver_override`, "vfio_ap\n")).toBe("done");
  });

  test.each([
    ["ap.domain=71", "71\n", []],
    ["ap.domain=0x47", "71\n", []],
    ["ap.domain=256", "4\n", ["<4>ap: 256 is not a valid cryptographic domain"]],
    ["ap.domain=-2", "4\n", ["<4>ap: -2 is not a valid cryptographic domain"]],
    ["ap.domain=4 ap.aqmask=0x04", "5\n", ["<4>ap: 4 is not a valid cryptographic domain"]],
    ["ap.domain=x", "4\n", []],
  ])("%s: the default domain is %j, with the warning %j", (cmdline, domain, log) => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4, 5, 71], cmdline, modules: [] });
    expect(host.read(`${bus}/ap_domain`)).toBe(domain);
    expect(host.bootLog).toEqual(log);
  });

  test("can switch interrupts off, and start the poll thread that is then of use", () => {
    const host = new TestHost({ ...exampleMachine, cmdline: "ap.useirq=0 ap.poll_thread=1" });
    expect([host.read(`${bus}/ap_interrupts`), host.read(`${bus}/poll_thread`)]).toEqual(["0\n", "1\n"]);
    expect(host.read(`${bus}/devices/05.0004/interrupt`)).toBe("Interrupts disabled.\n");
    host.write(`${bus}/poll_thread`, "off\n");
    expect(host.read(`${bus}/poll_thread`)).toBe("0\n");
    host.write(`${bus}/poll_thread`, "y\n");
    expect(host.read(`${bus}/poll_thread`)).toBe("1\n");
  });

  test("without it interrupts are on, and a poll thread is never started", () => {
    const host = new TestHost({ ...exampleMachine, cmdline: "ap.poll_thread=1" });
    host.write(`${bus}/poll_thread`, "1\n");
    expect([host.read(`${bus}/ap_interrupts`), host.read(`${bus}/poll_thread`)]).toEqual(["1\n", "0\n"]);
    expect(host.read(`${bus}/devices/05.0004/interrupt`)).toBe("Interrupts enabled.\n");
  });
});

describe("a machine", () => {
  test("without AP instructions has no AP bus, a warning, and no vfio_ap", () => {
    const host = new TestHost({ machine: { facilities: { ...fullMachine.facilities, ap: false } }, modules: [] });
    expect(host.bootLog).toEqual(["<4>ap: The hardware system does not support AP instructions"]);
    expect(host.exists(bus)).toBe(false);
    expect(host.modprobe("vfio_ap")).toBe("ENODEV");
    expect(host.exists("/sys/devices/vfio_ap")).toBe(false);
    expect(host.exists("/sys/module/vfio_ap")).toBe(false);
  });

  test("without QCI says so, and has what answers among the classic numbers", () => {
    const host = new TestHost({
      adapters: { 5: "CEX7C", 64: "CEX7C" },
      usage: [4, 16],
      machine: { facilities: { ...fullMachine.facilities, qci: false } },
    });
    const file = (name: string): string => host.read(`${bus}/${name}`);
    expect(["ap_control_domain_mask", "ap_usage_domain_mask", "ap_adapter_mask"].map(file)).toEqual(Array(3).fill("not supported\n"));
    expect([file("features"), file("ap_max_adapter_id"), file("ap_max_domain_id")]).toEqual(["-\n", "63\n", "15\n"]);
    expect(host.names(`${bus}/devices`)).toEqual(["05.0004", "card05"]);
    host.createMdev(uuids[0], { adapters: [5] });
    expect(host.guestMatrix(uuids[0])).toEqual([]);
    expect(host.assign(uuids[0], "adapter", 64)).toBe("ENODEV");
  });

  test.each([
    [{}, "APSC APXA\n"],
    [{ qact: true, rc8a: true, apsb: true }, "APSC APXA QACT RC8A APSB\n"],
    [{ facilities: { ...fullMachine.facilities, apxa: false }, rc8a: true }, "APSC RC8A\n"],
  ])("with %j has the features %j", (machine, text) => {
    expect(new TestHost({ machine }).read(`${bus}/features`)).toBe(text);
  });

  test("tells its masks and limits", () => {
    const host = new TestHost({ ...exampleMachine, machine: { maxAdapter: 63, maxDomain: 84 } });
    expect(host.read(`${bus}/ap_adapter_mask`)).toBe(`0x06${zeros(62)}\n`);
    expect(host.read(`${bus}/ap_usage_domain_mask`)).toBe(`0x08${zeros(14)}01${zeros(24)}1${zeros(20)}1\n`);
    expect([host.read(`${bus}/ap_max_adapter_id`), host.read(`${bus}/ap_max_domain_id`)]).toEqual(["63\n", "84\n"]);
    expect(host.names(`${bus}/devices`)).toEqual(["05.0004", "05.0047", "06.0004", "06.0047", "card05", "card06"]);
  });
});

describe("the files of the bus", () => {
  test.each([
    ["ap_domain", "71\n", "done"],
    ["ap_domain", " 0x47", "done"],
    ["ap_domain", "0107", "done"],
    ["ap_domain", "256\n", "EINVAL"],
    ["ap_domain", "-1\n", "EINVAL"],
    ["ap_domain", "x\n", "EINVAL"],
    ["config_time", "5\n", "done"],
    ["config_time", "120 seconds", "done"],
    ["config_time", "4\n", "EINVAL"],
    ["config_time", "121\n", "EINVAL"],
    ["config_time", "\n", "EINVAL"],
    ["poll_thread", "maybe\n", "EINVAL"],
    ["poll_timeout", "120000000000\n", "done"],
    ["poll_timeout", "120000000001\n", "EINVAL"],
    ["poll_timeout", "-1\n", "EINVAL"],
    ["poll_timeout", "99999999999999999999\n", "ERANGE"],
    ["scans", "anything", "done"],
    ["ap_interrupts", "1\n", "EACCES"],
    ["bindings", "1\n", "EACCES"],
    ["uevent", "add", "done"],
    ["uevent", "sub", "EINVAL"],
  ])("%s takes %j with %s", (file, text, answer) => {
    expect(new TestHost(exampleMachine).write(`${bus}/${file}`, text)).toBe(answer);
  });

  test("a domain that aqmask does not leave to the host is no default domain: EINVAL", () => {
    const host = new TestHost(exampleMachine);
    host.write(`${bus}/aqmask`, "-71\n");
    expect(host.write(`${bus}/ap_domain`, "71\n")).toBe("EINVAL");
    expect(host.read(`${bus}/ap_domain`)).toBe("4\n");
  });
});

describe("scans", () => {
  test("count, and come every config_time seconds after the end of the last one", () => {
    const host = new TestHost(exampleMachine);
    expect(host.read(`${bus}/scans`)).toBe("1\n");
    host.advance(29_999 - host.host.timers.nowMs);
    expect(host.read(`${bus}/scans`)).toBe("1\n");
    host.advance(1);
    expect(host.read(`${bus}/scans`)).toBe("2\n");
    host.write(`${bus}/config_time`, "5\n");
    host.advance(15_000);
    expect(host.read(`${bus}/scans`)).toBe("5\n");
    host.write(`${bus}/scans`, "1\n");
    expect(host.read(`${bus}/scans`)).toBe("6\n");
  });

  test("follow a notice of a changed configuration; without notices, the timer finds the change", () => {
    const told = new TestHost(exampleMachine);
    told.addAdapter(7, "CEX7P");
    expect(told.exists(`${bus}/devices/card07`)).toBe(true);
    const untold = new TestHost({ ...exampleMachine, machine: { announcesChanges: false } });
    untold.advance(30_000);
    untold.addAdapter(7, "CEX7P");
    expect(untold.exists(`${bus}/devices/card07`)).toBe(false);
    untold.advance(30_000);
    expect(untold.exists(`${bus}/devices/card07`)).toBe(true);
  });
});

describe("uevents of the bus", () => {
  test("the first scan adds cards before their queues, binds each, and ends with INITSCAN once and BINDINGS", () => {
    const host = new TestHost({ adapters: { 5: "CEX7A" }, usage: [4], modules: [] });
    expect(host.bootUevents).toEqual([
      "add /devices/virtual/misc/z90crypt MAJOR=10 MINOR=63 DEVNAME=z90crypt",
      "add /devices/ap/card05 DEVTYPE=ap_card DEV_TYPE=000D MODALIAS=ap:t0D MODE=accel",
      "bind /devices/ap/card05 DEVTYPE=ap_card DRIVER=cex4card DEV_TYPE=000D MODALIAS=ap:t0D MODE=accel",
      "add /devices/ap/card05/05.0004 DEVTYPE=ap_queue MODE=accel",
      "bind /devices/ap/card05/05.0004 DEVTYPE=ap_queue DRIVER=cex4queue MODE=accel",
      "change /devices/ap INITSCAN=done",
      "change /devices/ap BINDINGS=complete COMPLETECOUNT=1",
    ]);
    host.write(`${bus}/scans`, "1\n");
    expect(host.ueventTexts()).toEqual([]);
    expect(host.read(`${bus}/bindings_complete_count`)).toBe("1\n");
  });

  test("a queue that goes is unbound, then removed; its card follows", () => {
    const host = new TestHost({ adapters: { 5: "CEX7P" }, usage: [4] });
    host.hardware((machine) => machine.removeAdapter(5));
    expect(host.ueventTexts()).toEqual([
      "unbind /devices/ap/card05/05.0004 DEVTYPE=ap_queue MODE=ep11",
      "remove /devices/ap/card05/05.0004 DEVTYPE=ap_queue MODE=ep11",
      "unbind /devices/ap/card05 DEVTYPE=ap_card DEV_TYPE=000D MODALIAS=ap:t0D MODE=ep11",
      "remove /devices/ap/card05 DEVTYPE=ap_card DEV_TYPE=000D MODALIAS=ap:t0D MODE=ep11",
    ]);
  });

  test("deconfiguring and configuring is told of the card and each queue, a checkstop is not", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    const config = (value: number): string[] => [
      `change /devices/ap/card05 CONFIG=${value} DEVTYPE=ap_card DRIVER=cex4card DEV_TYPE=000D MODALIAS=ap:t0D MODE=cca`,
      `change /devices/ap/card05/05.0004 CONFIG=${value} DEVTYPE=ap_queue DRIVER=cex4queue MODE=cca`,
    ];
    host.hardware((machine) => machine.setConfigured(5, false));
    expect(host.ueventTexts()).toEqual(config(0));
    host.hardware((machine) => machine.setConfigured(5, true));
    expect(host.ueventTexts()).toEqual(config(1));
    host.hardware((machine) => machine.setCheckstop(5, true));
    host.hardware((machine) => machine.setCheckstop(5, false));
    expect(host.ueventTexts()).toEqual([]);
  });

  test("a mask change makes the bindings complete again with the next scan", () => {
    const host = new TestHost(exampleMachine);
    expect(host.read(`${bus}/bindings_complete_count`)).toBe("1\n");
    host.write(`${bus}/apmask`, "-5\n");
    expect(host.read(`${bus}/bindings_complete_count`)).toBe("1\n");
    host.write(`${bus}/scans`, "1\n");
    expect(host.read(`${bus}/bindings_complete_count`)).toBe("2\n");
    expect(host.ueventTexts().at(-1)).toBe("change /devices/ap BINDINGS=complete COMPLETECOUNT=2");
    host.write(`${bus}/scans`, "1\n");
    expect(host.read(`${bus}/bindings_complete_count`)).toBe("2\n");
  });

  test("the matrix parent tells that it is registered, and that it is not any more", () => {
    const host = new TestHost({ modules: [] });
    host.modprobe("vfio_ap");
    expect(host.ueventTexts().filter((text) => text.includes("MDEV_STATE"))).toEqual([
      "change /devices/vfio_ap/matrix MDEV_STATE=registered DRIVER=vfio_ap",
    ]);
    host.rmmod("vfio_ap");
    expect(host.ueventTexts().filter((text) => text.includes("MDEV_STATE"))).toEqual([
      "change /devices/vfio_ap/matrix MDEV_STATE=unregistered DRIVER=vfio_ap",
    ]);
  });

  test("the keys of the core frame those of the device", () => {
    const host = new TestHost();
    host.createMdev(uuids[0]);
    const [first] = host.uevents();
    expect(first?.properties).toEqual([
      ["ACTION", "add"],
      ["DEVPATH", `/devices/vfio_ap/matrix/${uuids[0]}`],
      ["SUBSYSTEM", "mdev"],
      ["SEQNUM", String(first?.sequence)],
    ]);
    expect(matrix).toBe("/sys/devices/vfio_ap/matrix");
  });
});

test("an adapter newer than the kernel is served as what it is compatible to, or not at all", () => {
  const future = { ...adapterProfile(15, "cca"), functions: 0x92800000 };
  const withQact = new TestHost({ adapters: { 5: future }, usage: [4], machine: { qact: true } });
  expect([withQact.read(`${bus}/devices/card05/hwtype`), withQact.read(`${bus}/devices/card05/raw_hwtype`)]).toEqual(["14\n", "15\n"]);
  expect(withQact.read(`${bus}/devices/card05/type`)).toBe("CEX8C\n");
  expect(new TestHost({ adapters: { 5: future }, usage: [4] }).names(`${bus}/devices`)).toEqual([]);
});
