import { describe, expect, test } from "vitest";
import { addressText, channelAddress, migrationAddress, socketAddressMembers } from "./migration-address.ts";

describe("a URI", () => {
  test.each<[string, ReturnType<typeof migrationAddress>, string]>([
    ["tcp:127.0.0.1:4444", { type: "inet", host: "127.0.0.1", port: 4444 }, "127.0.0.1:4444"],
    ["tcp::4444", { type: "inet", host: "", port: 4444 }, ":4444"],
    ["tcp:[::1]:4444", { type: "inet", host: "::1", port: 4444 }, "[::1]:4444"],
    ["tcp:0:4444,ipv4=on", { type: "inet", host: "0", port: 4444 }, "0:4444"],
    ["unix:/run/a b", { type: "unix", path: "/run/a b" }, "/run/a b"],
    ["exec:cat", { type: "other", uri: "exec:cat" }, "exec:cat"],
  ])("%s is an address", (uri, address, text) => {
    expect(migrationAddress(uri)).toEqual(address);
    expect(addressText(address)).toBe(text);
  });

  test.each([
    ["foo", "unknown migration protocol: foo"],
    ["tcp:here", "error parsing address 'here'"],
    ["tcp:here:65536", "error parsing address 'here:65536'"],
    ["fd:5", "File descriptor named '5' has not been found"],
    [`unix:/${"x".repeat(107)}`, `UNIX socket path '/${"x".repeat(107)}' is too long`],
  ])("%s leads nowhere", (uri, text) => {
    expect(() => migrationAddress(uri)).toThrow(text);
  });
});

test("a list of channels has one socket", () => {
  const inet = { "channel-type": "main", addr: { transport: "socket", type: "inet", host: "h", port: "1" } };
  expect(channelAddress([inet])).toEqual({ type: "inet", host: "h", port: 1 });
  expect(channelAddress([{ addr: { transport: "socket", type: "unix", path: "/p" } }])).toEqual({ type: "unix", path: "/p" });
  for (const channels of [[], [inet, inet], [{ addr: { transport: "exec", args: [] } }]]) {
    expect(() => channelAddress(channels)).toThrow("Channel list must have one channel of type 'main'");
  }
});

test("an address is told as query-migrate does", () => {
  expect(socketAddressMembers({ type: "unix", path: "/p" })).toEqual({ path: "/p", type: "unix" });
  expect(socketAddressMembers({ type: "inet", host: "h", port: 1 })).toEqual({ port: "1", host: "h", type: "inet" });
});
