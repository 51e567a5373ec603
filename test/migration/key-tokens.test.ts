import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { compiledProgram, whyNoPrograms } from "../guests/programs.ts";
import { guestStartMs, whyNoGuests } from "../guests/stock-guest.ts";
import { type HostName, HostPair, uuid } from "./host-processes.ts";

/** What becomes of a guest's secure keys where the cards have other master keys. */
const reason = whyNoGuests() ?? whyNoPrograms();
const guest = `guest1: { cpu: "host,ap=on,apqci=on,apft=on", mdev: ${uuid}, linux: debian-12, memory: 256 }`;

let hosts: HostPair;
beforeAll(async () => {
  if (reason !== undefined) return;
  hosts = new HostPair();
  await hosts.up([guest]);
  expect(await hosts.inGuest("here", "cat >/usr/bin/cca && chmod 755 /usr/bin/cca", compiledProgram("cca"))).toBe("");
}, guestStartMs);
afterAll(() => hosts?.close());
beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

async function adjunct(...words: string[]): Promise<string> {
  const { status, stderr } = await hosts.sandbox.adjunct(...words);
  if (status !== 0) throw new Error(stderr);
  return stderr;
}

const loadKey = (host: HostName, ...words: string[]): Promise<string> =>
  adjunct("hw", host, "key", "load", "5", "4", "aes", ...words, "--set");

test("a token made before a move to other master keys is refused there, and works when its key is loaded", async () => {
  await loadKey("there", "--part", "11".repeat(32));
  await loadKey("there", "--part", "22".repeat(32));
  const token = (await hosts.inGuest("here", "cca 5 4 generate 256")).trim();
  expect(token).toMatch(/^[0-9a-f]{128}$/);
  const protect = `cca 5 4 protect ${token}`;
  const usable = /^[0-9a-f]{128}\n$/;
  expect(await hosts.inGuest("here", protect)).toMatch(usable);
  // The move warns and is not refused: only the guest's owner knows which keys it needs.
  expect(await adjunct("migrate", "here", "guest1", "there")).toContain("master-key");
  expect(await hosts.inGuest("there", protect)).toBe("8/48\nstatus 1\n");
  expect((await hosts.inGuest("there", "cca 5 4 generate 256")).trim()).toMatch(/^[0-9a-f]{128}$/);
  await loadKey("there");
  expect(await hosts.inGuest("there", protect)).toMatch(usable);
});
