import { expect, test } from "vitest";
import { moduleParameters } from "./command-line.ts";

test.each([
  ["", {}],
  ["quiet root=/dev/dasda1", {}],
  ["ap.apmask=0xffff ap.aqmask=0x40", { apmask: "0xffff", aqmask: "0x40" }],
  ["ap.domain=4 ap.domain=5", { domain: "5" }],
  ['  ap.apmask="+5"\tap.useirq', { apmask: "+5", useirq: "" }],
  ["ap.poll-thread=1", { poll_thread: "1" }],
  ["vfio_ap.apmask=1 zap.domain=3 ap=4 apmask=5", {}],
  ["ap.apmask=a=b", { apmask: "a=b" }],
])("%j has for the AP bus %j", (commandLine, expected) => {
  expect(Object.fromEntries(moduleParameters(commandLine, "ap"))).toEqual(expected);
});
