import { describe, expect, test } from "vitest";
import { exampleHost, matrix, type TestHost, uuids } from "../../../test/support/test-host.ts";

const [first, second] = uuids;
const zero = `0x${"0".repeat(64)}`;
const file = `${matrix}/${first}/ap_config`;

function prepared(): TestHost {
  const host = exampleHost("7.2");
  host.createMdev(first, { adapters: [5], domains: [4], control: [4] });
  host.forget();
  return host;
}

test.each([
  ["0x06,0x08,0x0\n", "done", ["05.0004", "06.0004"]],
  ["06,08,0", "done", ["05.0004", "06.0004"]],
  ["0x06,0x08\n", "done", ["05.0004", "06.0004"]],
  ["0x06\n0x08\n0x08\nthe rest", "done", ["05.0004", "06.0004"]],
  [",\n", "done", []],
  [",,", "done", []],
  [`${zero},${zero},${zero}\n`, "done", []],
  [`0x06,0x08,0x${"0".repeat(64)}${"7".repeat(200)}`, "EINVAL", ["05.0004"]],
  [`0x${"06".padEnd(64, "0")},0x${"08".padEnd(64, "0")},0x${"08".padEnd(64, "0")}nonsense`, "EINVAL", ["05.0004"]],
  [`0x${"06".padEnd(64, "0")},0x${"08".padEnd(64, "0")},0x${"08".padEnd(64, "0")}\nnonsense`, "done", ["05.0004", "06.0004"]],
  ["\n", "EINVAL", ["05.0004"]],
  ["0xA\n", "EINVAL", ["05.0004"]],
  ["", "done", ["05.0004"]],
  ["+5,+4,+4", "EINVAL", ["05.0004"]],
  ["0x06;0x08;0", "EINVAL", ["05.0004"]],
  ["0x06, 0x08,0", "EINVAL", ["05.0004"]],
  ["0x07,0x88,0x0", "EADDRNOTAVAIL", ["05.0004"]],
])("%j ends with %s and leaves the matrix %j", (text, answer, left) => {
  const host = prepared();
  expect([host.write(file, text), host.matrix(first)]).toEqual([answer, left]);
});

describe("a running guest", () => {
  test("gets the whole change in one step, and what it loses is reset", () => {
    const host = prepared();
    host.startGuest("guest1", first);
    host.forget();
    host.write(file, "0x02,0x0800000000000000010000,0x0\n");
    expect(host.matrix(first)).toEqual(["06.0004", "06.0047"]);
    expect(host.apcb("guest1")).toEqual(["06.0004", "06.0047"]);
    expect(host.adm("guest1")).toEqual([]);
    expect(host.resets()).toEqual(["ZAPQ 05.0004"]);
  });
});

test("what cannot be had leaves everything as it was, with a line for each queue of another device", () => {
  const host = prepared();
  host.createMdev(second, { adapters: [6], domains: [4, 0x47] });
  host.startGuest("guest1", first);
  host.forget();
  const before = host.read(file);
  expect(host.write(file, "0x06,0x0800000000000000010000,0x0\n")).toBe("EADDRINUSE");
  expect(host.read(file)).toBe(before);
  expect(host.apcb("guest1")).toEqual(["05.0004"]);
  expect(host.log()).toEqual(
    ["06.0004", "06.0047"].map(
      (queue) => `<4>vfio_ap_mdev ${first}: Userspace may not assign queue ${queue} to mdev: already assigned to ${second}`,
    ),
  );
  expect(host.resets()).toEqual([]);
});

test("reads as three masks of 201 characters, which can be written back", () => {
  const host = prepared();
  const text = host.read(file);
  expect(text).toBe(`0x04${"0".repeat(62)},0x08${"0".repeat(62)},0x08${"0".repeat(62)}\n`);
  expect(text.length).toBe(201);
  expect(host.write(file, text)).toBe("done");
  expect(host.read(file)).toBe(text);
});
