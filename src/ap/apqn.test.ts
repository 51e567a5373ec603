import { expect, test } from "vitest";
import { adapterName, adapterOf, apqn, apqnName, domainName, domainOf } from "./apqn.ts";

test("a queue number holds the adapter left and the domain right", () => {
  expect(apqn(0x05, 0xab)).toBe(0x05ab);
  expect(adapterOf(0x05ab)).toBe(5);
  expect(domainOf(0x05ab)).toBe(0xab);
});

test.each([
  [0, 0, "00.0000"],
  [5, 4, "05.0004"],
  [10, 71, "0a.0047"],
  [255, 255, "ff.00ff"],
])("adapter %d and domain %d are the queue %s", (adapter, domain, name) => {
  expect(apqnName(apqn(adapter, domain))).toBe(name);
  expect(`${adapterName(adapter)}.${domainName(domain)}`).toBe(name);
});
