import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import type { ModelGuest } from "../../src/guest/model/model-guest.ts";
import { SavedGuestError } from "../../src/guest/model/saved-form.ts";
import { awaitModelGuest, hostWithMdev, linuxOf, makeLoopKey, startModelGuest } from "../support/saved-guests.ts";
import type { TestHost } from "../support/test-host.ts";
import { printSeed, propertyTimeoutMs, runParameters } from "./seed.ts";

/**
 * A saved guest with something changed in it, with the checksum that it had or with one that fits: it is refused and the guest waits as
 * before, or all of it is there, and runs.
 */
vi.setConfig({ testTimeout: propertyTimeoutMs });
beforeAll(() => printSeed("test/properties/damaged-saves.test.ts"));

const layout = { bodyBytes: 8, digest: 12, body: 44 } as const;

const saved = ((): Buffer => {
  const host = hostWithMdev();
  const guest = startModelGuest(host);
  host.run(() => linuxOf(guest).modprobe("vfio_ap"));
  host.run(() => host.host.write("/sys/class/zcrypt/create", "one", linuxOf(guest)));
  host.run(() => host.host.write("/sys/bus/ap/devices/05.0004/driver_override", "cex4queue", linuxOf(guest)));
  guest.startLoop(makeLoopKey());
  host.advance(1500);
  guest.pause();
  return guest.save();
})();

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Every value of the saved guest, as a path from its root. */
const paths = ((): (readonly (string | number)[])[] => {
  const found: (readonly (string | number)[])[] = [];
  const visit = (value: Json, path: readonly (string | number)[]): void => {
    found.push(path);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) visit(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  visit(JSON.parse(saved.subarray(layout.body).toString()) as Json, []);
  return found;
})();

interface Change {
  readonly at: number;
  readonly how: "replace" | "copy" | "drop" | "twice" | "count";
  readonly from: number;
  readonly value: Json;
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(paths.length - 1),
  how: fc.constantFrom("replace", "copy", "drop", "twice", "count"),
  from: fc.nat(paths.length - 1),
  value: fc.oneof(
    fc.constantFrom<Json>(
      null,
      true,
      false,
      0,
      1,
      -1,
      255,
      256,
      0.5,
      1e300,
      "",
      "05.0004",
      "vfio_ap",
      "one",
      "é\n\0",
      [],
      {},
      `0x${"f".repeat(64)}`,
    ),
    fc.integer(),
    fc.string(),
  ),
});

function changed(root: Json, { at, how, from, value }: Change): Json {
  const path = paths[at] ?? [];
  const last = path.at(-1);
  const holder = lookUp(root, path.slice(0, -1));
  if (last === undefined || typeof holder !== "object" || holder === null) return how === "replace" ? value : root;
  const fields = holder as Record<string | number, Json>;
  const now = fields[last] ?? null;
  if (how === "replace") fields[last] = value;
  if (how === "copy") fields[last] = structuredClone(lookUp(root, paths[from] ?? []));
  if (how === "count" && typeof now === "number") fields[last] = now + (typeof value === "number" ? value : 1);
  if (how === "count" && typeof now === "boolean") fields[last] = !now;
  if (how === "drop" && Array.isArray(holder)) holder.splice(Number(last), 1);
  else if (how === "drop") delete fields[last];
  if (how === "twice" && Array.isArray(holder)) holder.push(structuredClone(now));
  return root;
}

function lookUp(root: Json, path: readonly (string | number)[]): Json {
  let at = root;
  for (const key of path) {
    if (typeof at !== "object" || at === null) return null;
    at = (at as Record<string | number, Json>)[key] ?? null;
  }
  return at;
}

/** With a header that fits. */
function sealed(root: Json): Buffer {
  const body = Buffer.from(JSON.stringify(root) ?? "");
  const bytes = Buffer.concat([saved.subarray(0, layout.body), body]);
  bytes.writeUInt32BE(body.length, layout.bodyBytes);
  createHash("sha256").update(body).digest().copy(bytes, layout.digest);
  return bytes;
}

const counts = { refused: 0, restored: 0 };

function tryToRestore(bytes: Buffer): void {
  const host = hostWithMdev();
  const guest = awaitModelGuest(host);
  if (isRefused(guest, bytes)) {
    counts.refused++;
    expect([[...guest.directory.names()], guest.isAwaited, guest.linux, guest.loop]).toEqual([[], true, undefined, undefined]);
    return;
  }
  counts.restored++;
  expect(guest.save().equals(bytes)).toBe(true);
  live(host, guest);
}

function isRefused(guest: ModelGuest, bytes: Buffer): boolean {
  try {
    guest.restore(bytes);
    return false;
  } catch (error) {
    if (!(error instanceof SavedGuestError)) throw error;
    return true;
  }
}

/** What was taken can run, scan and be ended. */
function live(host: TestHost, guest: ModelGuest): void {
  guest.run();
  host.advance(20);
  linuxOf(guest).bus.requestScan();
  host.advance(20);
  guest.powerOff();
}

test("a saved guest with values changed and a checksum that fits is refused or restored, never half", () => {
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    tryToRestore(sealed(changes.reduce(changed, JSON.parse(saved.subarray(layout.body).toString()) as Json)));
  });
  void fc.assert(property, runParameters(2000));
  console.log(`${counts.refused} refused, ${counts.restored} restored`);
  expect(Math.min(counts.refused, counts.restored)).toBeGreaterThan(50);
});

test("a saved guest with bytes changed, cut off or added is refused", () => {
  const guest = awaitModelGuest(hostWithMdev());
  const property = fc.property(fc.nat(saved.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(2), (at, bits, kind) => {
    const flipped = Buffer.from(saved);
    flipped[at]! ^= bits;
    const bytes = [flipped, saved.subarray(0, at), Buffer.concat([saved, saved.subarray(at)])][kind] ?? flipped;
    expect(isRefused(guest, bytes)).toBe(true);
  });
  void fc.assert(property, runParameters(2000));
  expect([...guest.directory.names()]).toEqual([]);
  guest.restore(saved);
  expect(guest.save()).toEqual(saved);
});
