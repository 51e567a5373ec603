import { describe, expect, test } from "vitest";
import { StreamError } from "./frame.ts";
import { describeGuest, type GuestHello, readHello, readReady, readStopped, whyNotHere } from "./guest-hello.ts";
import { toySide } from "./toy-hosts.ts";

const here = describeGuest((await toySide()).emulator);
const coming = (changes: Partial<GuestHello> = {}): GuestHello => ({ ...here, token: "0".repeat(32), witness: "/ask", ...changes });

describe("a guest that comes", () => {
  test("fits the machine that it was described from, and may leave a device there unused", () => {
    expect(whyNotHere(here, coming())).toBeUndefined();
    expect(whyNotHere(here, coming({ device: null }))).toBeUndefined();
    expect(whyNotHere(here, coming({ device: { id: null, mdev: "another" } }))).toBeUndefined();
  });

  test.each<[Partial<GuestHello>, string]>([
    [{ machine: "s390-ccw-virtio-9.0" }, `Machine type received is 's390-ccw-virtio-9.0' and local is '${here.machine}'`],
    [{ kind: "real" }, "Kind of guest received is 'real' and local is 'model'"],
    [{ memoryBytes: 4096 }, "Size mismatch: s390.ram: 0x1000 != 0x8000000: Invalid argument"],
    [{ cpus: 2 }, "Unknown section or instance 'cpu' 1."],
    [{ cpus: 0 }, "Processors received are 0 and local are 1"],
    [{ features: ["ap"] }, "AP features received are 'ap' and local are 'ap,apqci,apft,apqi'"],
  ])("with %j is refused", (changes, text) => {
    expect(whyNotHere(here, coming(changes))).toContain(text);
  });
});

describe("what a peer says", () => {
  test.each(["", "{}", '{"witness":5,"runState":"gone"}'])("is refused in answer, too: %s", (text) => {
    for (const read of [readReady, readStopped]) expect(() => read(Buffer.from(text))).toThrow(StreamError);
  });

  test("is read as it was written", () => {
    expect(readHello(Buffer.from(JSON.stringify(coming())))).toEqual(coming());
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    JSON.stringify({ ...coming(), token: "../" }),
    JSON.stringify({ ...coming(), cpus: -1 }),
    JSON.stringify({ ...coming(), witness: "x".repeat(108) }),
  ])("is refused where it is not what may be said: case %#", (text) => {
    expect(() => readHello(Buffer.from(text))).toThrow(StreamError);
  });
});
