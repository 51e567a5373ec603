import { describe, expect, test } from "vitest";
import { TestHost } from "../../../test/support/test-host.ts";
import { refusingProcessor } from "../../machine/adapter/processor.ts";
import { adapterProfile } from "../../machine/adapter-profile.ts";

const devices = "/sys/bus/ap/devices";

test.each([
  ["CEX4A", { type: "CEX4A\n", hwtype: "10\n", raw_hwtype: "10\n", modalias: "ap:t0A\n", ap_functions: "0x6A000000\n" }],
  ["CEX7C", { type: "CEX7C\n", hwtype: "13\n", depth: "8\n", max_msg_size: "12288\n", ap_functions: "0x92800000\n" }],
  ["CEX8P", { type: "CEX8P\n", hwtype: "14\n", modalias: "ap:t0E\n", max_msg_size: "49152\n", ap_functions: "0x86000000\n" }],
] as const)("a %s tells what it is", (name, texts) => {
  const host = new TestHost({ adapters: { 5: name }, usage: [4] });
  expect(Object.fromEntries(Object.keys(texts).map((file) => [file, host.read(`${devices}/card05/${file}`)]))).toEqual(texts);
});

test("a card and its queue have these files with these modes", () => {
  const host = new TestHost({ adapters: { 5: "CEX8P" }, usage: [4] });
  expect(host.entries(`${devices}/card05`)).toEqual([
    "05.0004 40755",
    "API_ordinalnr 100444",
    "FW_version 100444",
    "ap_functions 100444",
    "chkstop 100444",
    "config 100644",
    "depth 100444",
    "driver 120777 -> ../../../bus/ap/drivers/cex4card",
    "hwtype 100444",
    "load 100444",
    "max_msg_size 100444",
    "modalias 100444",
    "online 100644",
    "op_modes 100444",
    "pendingq_count 100444",
    "raw_hwtype 100444",
    "request_count 100644",
    "requestq_count 100444",
    "serialnr 100444",
    "subsystem 120777 -> ../../../bus/ap",
    "type 100444",
    "uevent 100644",
  ]);
  expect(host.names(`${devices}/05.0004`)).toEqual([
    "ap_functions",
    "chkstop",
    "config",
    "driver",
    "driver_override",
    "interrupt",
    "load",
    "mkvps",
    "online",
    "op_modes",
    "pendingq_count",
    "request_count",
    "requestq_count",
    "reset",
    "subsystem",
    "uevent",
  ]);
});

test("the control domains of the document's example are 51 and 58, and its mask is apmask", () => {
  const host = new TestHost({ control: [51, 58] });
  expect(host.read("/sys/bus/ap/ap_control_domain_mask")).toBe(`0x0000000000001020${"0".repeat(48)}\n`);
  expect(host.names("/sys/bus/ap").filter((name) => /^ap_?mask$/.test(name))).toEqual(["apmask"]);
});

test("a queue's functions come from the queue itself; from one that does not answer, EIO", () => {
  const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4], machine: { announcesChanges: false } });
  expect(host.read(`${devices}/05.0004/ap_functions`)).toBe("0x92800000\n");
  host.host.machine.addAdapter(5, { ...adapterProfile(13, "cca"), functions: 0x9280c000 });
  expect(host.read(`${devices}/05.0004/ap_functions`)).toBe("0x9280C000\n");
  host.host.machine.setConfigured(5, false);
  expect(host.tryRead(`${devices}/05.0004/ap_functions`)).toBe("0x9280C000\n");
});

describe("online", () => {
  test.each([
    ["card05/online", "0\n", "done"],
    ["card05/online", "1", "done"],
    ["card05/online", " 0 and so on", "done"],
    ["card05/online", "2\n", "EINVAL"],
    ["card05/online", "yes\n", "EINVAL"],
    ["05.0004/online", "0\n", "done"],
    ["05.0004/online", "-1\n", "EINVAL"],
    ["05.0004/online", "\n", "EINVAL"],
  ])("%s takes %j with %s", (file, text, answer) => {
    expect(new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] }).write(`${devices}/${file}`, text)).toBe(answer);
  });

  test("of a card is that of all its queues, each told once", () => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4, 5] });
    host.write(`${devices}/05.0005/online`, "0\n");
    host.uevents();
    host.write(`${devices}/card05/online`, "0\n");
    expect(host.ueventTexts()).toEqual([
      "change /devices/ap/card05 ONLINE=0 DEVTYPE=ap_card DRIVER=cex4card DEV_TYPE=000D MODALIAS=ap:t0D MODE=cca",
      "change /devices/ap/card05/05.0004 ONLINE=0 DEVTYPE=ap_queue DRIVER=cex4queue MODE=cca",
    ]);
    expect(host.write(`${devices}/05.0004/online`, "1\n")).toBe("EINVAL");
    host.write(`${devices}/card05/online`, "1\n");
    expect([host.read(`${devices}/05.0004/online`), host.read(`${devices}/05.0005/online`)]).toEqual(["1\n", "1\n"]);
  });

  test.each(["config", "chkstop"] as const)("cannot be switched on where %s says no: ENODEV", (what) => {
    const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
    host.hardware((machine) => (what === "config" ? machine.setConfigured(5, false) : machine.setCheckstop(5, true)));
    for (const device of ["card05", "05.0004"]) {
      expect(host.write(`${devices}/${device}/online`, "1\n")).toBe("ENODEV");
      expect(host.write(`${devices}/${device}/online`, "0\n")).toBe("done");
      expect(host.read(`${devices}/${device}/online`)).toBe("0\n");
    }
  });
});

test("files that only its driver adds go with it", () => {
  const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4] });
  host.write("/sys/bus/ap/drivers/cex4card/unbind", "card05");
  for (const file of ["type", "online", "load", "serialnr", "driver"]) expect(host.exists(`${devices}/card05/${file}`)).toBe(false);
  expect(host.read(`${devices}/card05/hwtype`)).toBe("13\n");
  host.write("/sys/bus/ap/drivers/cex4queue/unbind", "05.0004");
  for (const file of ["online", "load", "mkvps"]) expect(host.exists(`${devices}/05.0004/${file}`)).toBe(false);
});

test("what a card that does not know the question would tell is unknown", () => {
  const host = new TestHost({ adapters: { 5: "CEX7C", 6: "CEX7P" }, usage: [4], processor: refusingProcessor });
  expect(host.read(`${devices}/card05/serialnr`)).toBe("\n");
  expect(host.read(`${devices}/05.0004/mkvps`).split("\n").slice(0, 3)).toEqual(["AES NEW: - -", "AES CUR: - -", "AES OLD: - -"]);
  expect(host.read(`${devices}/06.0004/mkvps`)).toBe("WK CUR: - -\nWK NEW: - -\n");
});

test("what a recording knows is not asked of the card", () => {
  const path = "/devices/ap/card05/05.0004/mkvps";
  const host = new TestHost({ adapters: { 5: "CEX7C" }, usage: [4], knownTexts: new Map([[path, "AES NEW: recorded\n"]]) });
  expect(host.read(`${devices}/05.0004/mkvps`)).toBe("AES NEW: recorded\n");
  expect(host.read(`${devices}/05.0004/request_count`)).toBe("0\n");
  expect(host.read(`${devices}/card05/serialnr`)).not.toBe("\n");
});
