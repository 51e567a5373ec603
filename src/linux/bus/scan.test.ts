import { describe, expect, test } from "vitest";
import { exampleMachine, TestHost } from "../../../test/support/test-host.ts";
import { adapterProfile } from "../../machine/adapter-profile.ts";

const devices = "/sys/bus/ap/devices";

describe("a scan makes devices of what the machine has", () => {
  test("a card and the product of adapters and usage domains, with links on the bus", () => {
    const host = new TestHost({ adapters: { 4: "CEX5C", 10: "CEX5C" }, usage: [6, 71] });
    expect(host.entries(devices)).toEqual([
      "04.0006 120777 -> ../../../devices/ap/card04/04.0006",
      "04.0047 120777 -> ../../../devices/ap/card04/04.0047",
      "0a.0006 120777 -> ../../../devices/ap/card0a/0a.0006",
      "0a.0047 120777 -> ../../../devices/ap/card0a/0a.0047",
      "card04 120777 -> ../../../devices/ap/card04",
      "card0a 120777 -> ../../../devices/ap/card0a",
    ]);
  });

  test("a card without usage domains does not show", () => {
    expect(new TestHost({ adapters: { 5: "CEX7C" } }).names(devices)).toEqual([]);
  });

  test("numbers above the maxima are not looked at", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C", 20: "CEX7C" }, usage: [4, 90], machine: { maxAdapter: 16, maxDomain: 84 } });
    expect(host.names(devices)).toEqual(["05.0004", "card05"]);
  });

  test("domains that come and go make and remove queues", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    host.hardware((machine) => machine.setUsageDomain(9, true));
    expect(host.names(devices)).toEqual(["05.0004", "05.0009", "card05"]);
    host.hardware((machine) => machine.setUsageDomain(4, false));
    expect(host.names(devices)).toEqual(["05.0009", "card05"]);
    host.hardware((machine) => machine.setUsageDomain(9, false));
    expect(host.names(devices)).toEqual([]);
  });

  test("an adapter with domains of its own limit has no queue beyond it", () => {
    const host = new TestHost({ adapters: { 5: { ...adapterProfile(13, "cca"), maxDomain: 5 } }, usage: [4, 6] });
    expect(host.names(devices)).toEqual(["05.0004", "card05"]);
  });
});

describe("a card that changed", () => {
  test("in type or functions is a new one: the old goes with its queues", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    host.addAdapter(5, "CEX8P");
    expect(host.ueventTexts().map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
      "unbind /devices/ap/card05/05.0004",
      "remove /devices/ap/card05/05.0004",
      "unbind /devices/ap/card05",
      "remove /devices/ap/card05",
      "add /devices/ap/card05",
      "bind /devices/ap/card05",
      "add /devices/ap/card05/05.0004",
      "bind /devices/ap/card05/05.0004",
      "change /devices/ap",
    ]);
    expect(host.read(`${devices}/card05/type`)).toBe("CEX8P\n");
  });

  test("for another of its kind is the same to the bus", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    host.addAdapter(5, "CEX7C");
    expect(host.ueventTexts()).toEqual([]);
  });

  test("with other bind state and reserved bits keeps its functions word", () => {
    const functions = (host: TestHost): string => host.read(`${devices}/card05/ap_functions`);
    const withBits = (bits: number) => ({ ...adapterProfile(13, "cca"), functions: (0x92800000 | bits) >>> 0 });
    const host = new TestHost({ adapters: { 5: withBits(0) }, usage: [4] });
    expect(functions(host)).toBe("0x92800000\n");
    host.hardware((machine) => machine.addAdapter(5, withBits(0xc123)));
    expect(host.ueventTexts()).toEqual([]);
    expect(functions(host)).toBe("0x92800000\n");
    expect(host.read(`${devices}/05.0004/ap_functions`)).toBe("0x9280C123\n");
    host.hardware((machine) => machine.addAdapter(5, withBits(0x01000000)));
    expect(functions(host)).toBe("0x93800000\n");
  });
});

describe("deconfigured and checkstopped", () => {
  test("a deconfigured adapter stays, with config and online 0, and works again when it comes back", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    const states = (): string[] =>
      ["card05/config", "card05/online", "05.0004/config", "05.0004/online"].map((file) => host.read(`${devices}/${file}`).trim());
    expect(states()).toEqual(["1", "1", "1", "1"]);
    host.hardware((machine) => machine.setConfigured(5, false));
    expect(states()).toEqual(["0", "0", "0", "0"]);
    expect(host.host.linux.bus.queues.get(0x504)?.machine).toMatchObject({ deviceState: "ERROR", lastError: 3 });
    host.resets();
    host.hardware((machine) => machine.setConfigured(5, true));
    expect(states()).toEqual(["1", "1", "1", "1"]);
    expect(host.resets()).toEqual(["RAPQ 05.0004"]);
    expect(host.host.linux.bus.queues.get(0x504)?.machine).toMatchObject({ deviceState: "OPERATING", machineState: "IDLE", lastError: 0 });
  });

  test("a checkstop shows on card and queue, and online 0", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    const states = (): string[] =>
      ["card05/chkstop", "card05/online", "05.0004/chkstop", "05.0004/online"].map((file) => host.read(`${devices}/${file}`).trim());
    host.hardware((machine) => machine.setCheckstop(5, true));
    expect(states()).toEqual(["1", "0", "1", "0"]);
    expect(host.host.linux.bus.queues.get(0x504)?.machine).toMatchObject({ deviceState: "ERROR", lastError: 4 });
    host.hardware((machine) => machine.setCheckstop(5, false));
    expect(states()).toEqual(["0", "1", "0", "1"]);
  });

  test("an adapter that comes deconfigured or checkstopped shows so and is not reset", () => {
    const host = new TestHost({ usage: [4] });
    host.hardware((machine) => {
      machine.setCheckstop(6, true);
      machine.addAdapter(5, adapterProfile(13, "cca"));
      machine.setConfigured(5, false);
      machine.addAdapter(6, adapterProfile(13, "cca"));
    });
    expect([host.read(`${devices}/card05/config`), host.read(`${devices}/card06/chkstop`)]).toEqual(["0\n", "1\n"]);
    expect(host.resets()).toEqual([]);
  });

  test("a write to config asks the machine, and is told even when it changes nothing", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    expect(host.write(`${devices}/card05/config`, "1\n")).toBe("done");
    expect(host.ueventTexts().length).toBe(1);
    expect(host.host.machine.adapters.get(5)?.isConfigured).toBe(true);
    expect(host.write(`${devices}/card05/config`, "0\n")).toBe("done");
    expect(host.host.machine.adapters.get(5)?.isConfigured).toBe(false);
    expect(host.read(`${devices}/05.0004/config`)).toBe("0\n");
    for (const text of ["2\n", "-1\n", "x", "\n"]) expect(host.write(`${devices}/card05/config`, text)).toBe("EINVAL");
    expect(host.write(`${devices}/card05/config`, " 1 please")).toBe("done");
    expect(host.read(`${devices}/card05/config`)).toBe("1\n");
  });

  test("a queue in error is reset by the next scan once its adapter answers", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    const { machine } = host.host.linux.bus.queues.get(0x504)!;
    machine.fail(0x42);
    expect(machine.deviceState).toBe("ERROR");
    host.write("/sys/bus/ap/scans", "1\n");
    expect(machine).toMatchObject({ deviceState: "OPERATING", machineState: "IDLE", lastError: 0 });
  });
});

describe("the default domain", () => {
  test("is the lowest that the host may use and that answers, and is never chosen anew", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [9, 12], cmdline: "ap.aqmask=+12" });
    expect(host.read("/sys/bus/ap/ap_domain")).toBe("12\n");
    host.write("/sys/bus/ap/aqmask", "+0-255\n");
    host.hardware((machine) => machine.setUsageDomain(12, false));
    expect(host.read("/sys/bus/ap/ap_domain")).toBe("12\n");
  });

  test("is -1 while no queue of the host answers", () => {
    const host = new TestHost({ ...exampleMachine, cmdline: "ap.apmask=0x0" });
    expect(host.read("/sys/bus/ap/ap_domain")).toBe("-1\n");
    host.write("/sys/bus/ap/apmask", "+6\n");
    host.write("/sys/bus/ap/scans", "1\n");
    expect(host.read("/sys/bus/ap/ap_domain")).toBe("4\n");
  });
});
