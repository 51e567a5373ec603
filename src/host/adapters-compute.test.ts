import { expect, test } from "vitest";
import { generateTestKey, icaCrt, type50Crt } from "../../test/support/adapter-messages.ts";
import { dqap, nqap } from "../../test/support/instructions.ts";
import { exampleHost, uuids } from "../../test/support/test-host.ts";

test("a guest's messages are computed by the adapters of its host, each as its mode says", () => {
  const key = generateTestKey(1024);
  const value = Buffer.alloc(128, 0x2a);
  const host = exampleHost("7.2");
  const [uuid] = uuids;
  expect(host.createMdev(uuid, { adapters: [5, 6], domains: [4] })).toBe("done");
  expect(host.startGuest("guest1", uuid)).toBe("done");
  const { vm } = host.guest("guest1");

  nqap(vm, 0x0504, icaCrt(128, key, key.encrypt(value)));
  nqap(vm, 0x0604, type50Crt(1, key, key.encrypt(value)));
  expect(Buffer.from(dqap(vm, 0x0504).reply).subarray(274, 402)).toEqual(value);
  expect(Buffer.from(dqap(vm, 0x0604).reply).subarray(16)).toEqual(value);

  nqap(vm, 0x0604, icaCrt(128, key, value));
  expect(dqap(vm, 0x0604).reply).toEqual(Uint8Array.of(0, 0x88, 0, 0, 0x20, 0, 0, 0));
});
