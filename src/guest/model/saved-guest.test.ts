import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { exampleHost, type TestHost, uuids } from "../../../test/support/test-host.ts";
import type { Host } from "../../host/host.ts";
import type { ModelGuest } from "./model-guest.ts";
import { SavedGuestError } from "./saved-form.ts";
import type { LoopKey } from "./saved-guest.ts";

const [uuid] = uuids;
const facilities = { ap: true, qci: true, apft: true, apqi: true, msa3: true };

/** The example with both adapters in the guest's device. */
function hostWithMdev(): TestHost {
  const host = exampleHost("7.2");
  host.createMdev(uuid, { adapters: [5, 6], domains: [4, 0xab] });
  return host;
}

function startGuest(host: TestHost): ModelGuest {
  const guest = host.host.createGuest("guest1", facilities);
  host.run(() => host.host.openMdev(guest, uuid));
  guest.model?.run();
  host.advance(1000);
  return modelOf(host.host);
}

/** A guest that waits to be restored, with its device. */
function awaitGuest(host: TestHost): ModelGuest {
  const guest = host.host.createGuest("guest1", facilities, { isIncoming: true });
  host.run(() => host.host.openMdev(guest, uuid));
  return modelOf(host.host);
}

function modelOf(host: Host): ModelGuest {
  const { model } = host.guest("guest1");
  if (!model) throw new Error("guest1 is no model guest");
  return model;
}

const key = ((): LoopKey => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n, e, p, q, dp, dq, qi } = privateKey.export({ format: "jwk" });
  const [hexN, hexE, ...rest] = [n, e, p, q, dp, dq, qi].map((part) => Buffer.from(part ?? "", "base64url").toString("hex"));
  const [hexP, hexQ, hexDp, hexDq, hexU] = rest;
  return { n: hexN!, e: hexE!, p: hexP!, q: hexQ!, dp: hexDp!, dq: hexDq!, u: hexU! };
})();

describe("a saved guest that is restored on another host", () => {
  test("is what it was: boot, clock, log, cards, counters", () => {
    const from = hostWithMdev();
    const source = startGuest(from);
    source.startLoop(key);
    from.advance(2500);
    source.pause();
    const saved = source.save();
    expect(source.loop?.saved()).toMatchObject({ state: "running", wrong: 0 });

    const to = hostWithMdev();
    to.advance(77_000);
    const target = awaitGuest(to);
    target.restore(saved);
    expect(target.save()).toEqual(saved);
    expect(target.bootId).toBe(source.bootId);
    expect(target.linux?.log.lines).toEqual(source.linux?.log.lines);
    const before = source.loop?.saved().signatures ?? 0;
    expect(before).toBeGreaterThan(100);

    target.run();
    to.advance(1500);
    expect(target.loop?.saved()).toMatchObject({ state: "running", wrong: 0, sentAgain: 0 });
    expect(target.loop?.saved().signatures).toBeGreaterThan(before + 100);
    expect(target.linux?.log.lines.at(-1)?.text).toMatch(/^crypto-loop: \d+ signatures, 0 wrong, 0 sent again$/);
    expect(target.linux?.timers.nowMs).toBeCloseTo((source.linux?.timers.nowMs ?? 0) + 1500, 1);
  });
});

test("a guest that runs is not saved, and one that does not wait is not restored", () => {
  const host = hostWithMdev();
  const guest = startGuest(host);
  expect(() => guest.save()).toThrow(SavedGuestError);
  guest.pause();
  const saved = guest.save();
  expect(() => guest.restore(saved)).toThrow("the guest does not wait for a saved one");
});
