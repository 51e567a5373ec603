import { expect, test } from "vitest";
import { parseSyntheticUevent, type Uevent, Uevents } from "./uevents.ts";

test("an event has ACTION, DEVPATH and SUBSYSTEM first, its own keys, and SEQNUM last", () => {
  const heard: Uevent[] = [];
  const uevents = new Uevents((event) => heard.push(event));
  uevents.emit("change", "/devices/ap", "", [["INITSCAN", "done"]]);
  uevents.emit("add", "/devices/ap/card05", "ap", [["DEVTYPE", "ap_card"]]);
  expect(heard.map(({ properties }) => properties.map((pair) => pair.join("=")).join(" "))).toEqual([
    "ACTION=change DEVPATH=/devices/ap SUBSYSTEM= INITSCAN=done SEQNUM=1",
    "ACTION=add DEVPATH=/devices/ap/card05 SUBSYSTEM=ap DEVTYPE=ap_card SEQNUM=2",
  ]);
  expect(uevents.sequence).toBe(2);
});

const id = "ABCDEF01-2345-6789-abcd-ef0123456789";

test.each([
  ["add", "add SYNTH_UUID=0"],
  ["change\n", "change SYNTH_UUID=0"],
  ["unbind", "unbind SYNTH_UUID=0"],
  [`change ${id}`, `change SYNTH_UUID=${id.toLowerCase()}`],
  [`change ${id} A=1 B2=c`, `change SYNTH_UUID=${id.toLowerCase()} SYNTH_ARG_A=1 SYNTH_ARG_B2=c`],
  ["", undefined],
  ["adds", undefined],
  ["Add", undefined],
  ["add x", undefined],
  [`add ${id} A`, undefined],
  [`add ${id} A=b-c`, undefined],
])("%j written to a uevent file is %s", (text, answer) => {
  const parsed = parseSyntheticUevent(text);
  expect(parsed && [parsed.action, ...parsed.keys.map((pair) => pair.join("="))].join(" ")).toBe(answer);
});
