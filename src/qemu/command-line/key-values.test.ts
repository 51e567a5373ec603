import { describe, expect, test } from "vitest";
import { flagWarnings, keyValues } from "./key-values.ts";

const read = (text: string, implied?: string): Record<string, string> => Object.fromEntries(keyValues(text, implied).values);

describe("QEMU's own syntax", () => {
  test.each([
    ["vfio-ap,sysfsdev=/sys/x,id=h0", { driver: "vfio-ap", sysfsdev: "/sys/x", id: "h0" }],
    ["vfio-ap,sysfsdev=/a,,b,id=h0", { driver: "vfio-ap", sysfsdev: "/a,b", id: "h0" }],
    ["vfio-ap,,x", { driver: "vfio-ap,x" }],
    ["driver=vfio-ap,id=a=b", { driver: "vfio-ap", id: "a=b" }],
    ["id=a,id=b", { id: "b" }],
    ["x,foo,nobar", { driver: "x", foo: "on", bar: "off" }],
    ["a=1,,", { a: "1," }],
    ["a=1,", { a: "1" }],
    ["a=,,,b=2", { a: ",", b: "2" }],
    ["=", { "": "" }],
    ["", {}],
  ])("reads %s", (text, values) => {
    expect(read(text, "driver")).toEqual(values);
  });

  test("knows who asks for help", () => {
    expect(keyValues("vfio-ap,help", "driver").asksForHelp).toBe(true);
    expect(keyValues("vfio-ap,?", "driver").asksForHelp).toBe(true);
    expect(keyValues("help", "driver").asksForHelp).toBe(false);
  });

  test("warns of switches without a value", () => {
    expect(flagWarnings("-device x,foo,nobar", keyValues("x,foo,nobar,delay", "driver"))).toEqual([
      "-device x,foo,nobar: warning: short-form boolean option 'foo' deprecated\nPlease use foo=on instead",
      "-device x,foo,nobar: warning: short-form boolean option 'nobar' deprecated\nPlease use bar=off instead",
      "-device x,foo,nobar: warning: short-form boolean option 'delay' deprecated\nPlease use nodelay=off instead",
    ]);
  });
});
