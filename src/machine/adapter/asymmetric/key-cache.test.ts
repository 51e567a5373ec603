import { beforeAll, describe, expect, test } from "vitest";
import { generateTestKey, type TestKey } from "../../../../test/support/adapter-messages.ts";
import { KeyCache } from "./key-cache.ts";

let keys: TestKey[];
beforeAll(() => {
  keys = Array.from({ length: 4 }, () => generateTestKey(512));
});

describe("a cache of keys", () => {
  test("gives the same key for the same parts in the same scope, whatever buffer they are in", () => {
    const cache = new KeyCache();
    const [parts] = keys as [TestKey];
    const key = cache.key(1, parts);
    expect(cache.key(1, { ...parts, p: Buffer.from(parts.p) })).toBe(key);
    expect(cache.key(2, parts)).not.toBe(key);
    expect(cache.size).toBe(2);
  });

  test("does not take parts for others that follow each other to the same bytes", () => {
    const cache = new KeyCache();
    const parts = { p: Buffer.of(61), q: Buffer.of(53), dp: Buffer.of(53), dq: Buffer.of(49), u: Buffer.of(38) };
    const key = cache.key(1, parts);
    expect(cache.key(1, { ...parts, p: Buffer.of(61, 53), q: Buffer.of(53), dp: Buffer.alloc(0) })).not.toBe(key);
  });

  test("holds no more keys than its limit: the one that was used longest ago goes", () => {
    const cache = new KeyCache(3);
    const [first, second, third, fourth] = keys as [TestKey, TestKey, TestKey, TestKey];
    const kept = [first, second, third].map((parts) => cache.key(1, parts));
    expect(cache.key(1, first)).toBe(kept[0]);
    cache.key(1, fourth);
    expect(cache.size).toBe(3);
    expect(cache.key(1, first)).toBe(kept[0]);
    expect(cache.key(1, third)).toBe(kept[2]);
    expect(cache.key(1, second)).not.toBe(kept[1]);
    expect(cache.size).toBe(3);
  });

  test("has nothing left of a scope that is over, and all of the others", () => {
    const cache = new KeyCache();
    const before = keys.map((parts) => [cache.key(1, parts), cache.key(2, parts)]);
    cache.drop(1);
    expect(cache.size).toBe(keys.length);
    for (const [index, parts] of keys.entries()) expect(cache.key(2, parts)).toBe(before[index]![1]);
    expect(cache.key(1, keys[0]!)).not.toBe(before[0]![0]);
  });

  test("keeps nothing of parts that make no key", () => {
    const cache = new KeyCache();
    expect(cache.key(1, { ...keys[0]!, p: Buffer.of(60) })).toBe("even-modulus");
    expect(cache.size).toBe(0);
  });
});
