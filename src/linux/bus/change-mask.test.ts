import { describe, expect, test } from "vitest";
import { exampleMachine, TestHost } from "../../../test/support/test-host.ts";

const bus = "/sys/bus/ap";
const ones = `0x${"f".repeat(64)}\n`;
const none = `0x${"0".repeat(64)}\n`;

describe("apmask and aqmask", () => {
  test("a queue belongs to the host if and only if both bits are set", () => {
    const host = new TestHost(exampleMachine);
    host.write(`${bus}/apmask`, "-5\n");
    host.write(`${bus}/aqmask`, "-0x47\n");
    expect(host.boundTo("cex4queue")).toEqual(["06.0004", "06.00ab", "06.00ff"]);
    expect(host.boundTo("vfio_ap")).toEqual(["05.0004", "05.0047", "05.00ab", "05.00ff", "06.0047"]);
    expect(host.boundTo("cex4card")).toEqual(["card05", "card06"]);
    host.write(`${bus}/apmask`, "+5\n");
    expect(host.boundTo("vfio_ap")).toEqual(["05.0047", "06.0047"]);
  });

  test("a bad text changes nothing", () => {
    const host = new TestHost(exampleMachine);
    for (const text of ["+1,-2,x\n", "0xg\n", "+300\n"]) expect(host.write(`${bus}/apmask`, text)).toBe("EINVAL");
    expect(host.read(`${bus}/apmask`)).toBe(ones);
  });

  test("what changes is told after the queues are bound anew; what stays is not", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    host.write(`${bus}/aqmask`, "-4\n");
    expect(host.ueventTexts()).toEqual([
      "unbind /devices/ap/card05/05.0004 DEVTYPE=ap_queue MODE=cca",
      "bind /devices/ap/card05/05.0004 DEVTYPE=ap_queue DRIVER=vfio_ap MODE=cca",
      `change /devices/ap AQMASK=0xf7${"f".repeat(62)}\n`,
    ]);
    host.write(`${bus}/aqmask`, "-4\n");
    host.write(`${bus}/aqmask`, "-4,+5-255\n");
    expect(host.ueventTexts()).toEqual([]);
    host.write(`${bus}/apmask`, "\n");
    expect(host.ueventTexts()).toEqual([`change /devices/ap APMASK=${none}`]);
  });

  test("with vfio_ap absent, queues that the host gives up stay unbound until it is loaded", () => {
    const host = new TestHost({ ...exampleMachine, modules: [] });
    host.write(`${bus}/apmask`, "-5\n");
    expect(host.read(`${bus}/bindings`)).toBe("4/8\n");
    expect(host.tryRead(`${bus}/devices/05.0004/online`)).toBe("ENOENT");
    host.write(`${bus}/apmask`, "+5\n");
    expect(host.read(`${bus}/bindings`)).toBe("8/8 (complete)\n");
    host.write(`${bus}/apmask`, "-5\n");
    host.modprobe("vfio_ap");
    expect(host.boundTo("vfio_ap").length).toBe(4);
    expect(host.read(`${bus}/bindings`)).toBe("8/8 (complete)\n");
  });
});

describe("driver_override and the masks exclude each other", () => {
  const override = `${bus}/devices/05.0004/driver_override`;

  test("an override refuses every mask, also one that changes nothing: EINVAL", () => {
    const host = new TestHost(exampleMachine);
    expect(host.write(override, "vfio_ap\n")).toBe("done");
    for (const text of ["-5\n", "+5\n", ones, "nonsense"]) expect(host.write(`${bus}/apmask`, text)).toBe("EINVAL");
    expect(host.write(override, "\n")).toBe("done");
    expect(host.write(`${bus}/apmask`, "-5\n")).toBe("done");
  });

  test("a mask that is not all ones refuses every override, also taking one away: EINVAL", () => {
    const host = new TestHost(exampleMachine);
    host.write(`${bus}/apmask`, "-5\n");
    expect(host.write(override, "vfio_ap\n")).toBe("EINVAL");
    expect(host.write(override, "\n")).toBe("EINVAL");
    host.write(`${bus}/apmask`, "+5\n");
    expect(host.write(override, "vfio_ap\n")).toBe("done");
  });

  test.each([
    ["vfio_ap", "vfio_ap\n"],
    ["vfio_ap\nmore", "vfio_ap\n"],
    ["nosuch driver", "nosuch driver\n"],
    ["", "\n"],
    ["\n", "\n"],
    ["x".repeat(4094), `${"x".repeat(4094)}\n`],
  ])("a text is taken up to its first newline (%#)", (text, shown) => {
    const host = new TestHost(exampleMachine);
    expect(host.write(override, text)).toBe("done");
    expect(host.read(override)).toBe(shown);
  });

  test("a text of a page less one is too long: EINVAL", () => {
    const host = new TestHost(exampleMachine);
    expect(host.write(override, "x".repeat(4095))).toBe("EINVAL");
    expect(host.read(override)).toBe("\n");
  });

  test("an override binds nothing by itself; unbind and drivers_probe do", () => {
    const host = new TestHost(exampleMachine);
    host.write(override, "vfio_ap\n");
    expect(host.boundTo("vfio_ap")).toEqual([]);
    host.write(`${bus}/drivers/cex4queue/unbind`, "05.0004\n");
    expect(host.write(`${bus}/drivers/cex4queue/bind`, "05.0004\n")).toBe("ENODEV");
    host.write(`${bus}/drivers_probe`, "05.0004\n");
    expect(host.boundTo("vfio_ap")).toEqual(["05.0004"]);
  });
});
