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
    const key = cache.of(1).crt(parts);
    expect(cache.of(1).crt({ ...parts, p: Buffer.from(parts.p) })).toBe(key);
    expect(cache.of(2).crt(parts)).not.toBe(key);
    expect(cache.size).toBe(2);
  });

  test("does not take parts for others that follow each other to the same bytes", () => {
    const cache = new KeyCache();
    const parts = { p: Buffer.of(61), q: Buffer.of(53), dp: Buffer.of(53), dq: Buffer.of(49), u: Buffer.of(38) };
    const key = cache.of(1).crt(parts);
    expect(cache.of(1).crt({ ...parts, p: Buffer.of(61, 53), q: Buffer.of(53), dp: Buffer.alloc(0) })).not.toBe(key);
  });

  test("holds no more keys than its limit: the one that was used longest ago goes", () => {
    const cache = new KeyCache(3);
    const [first, second, third, fourth] = keys as [TestKey, TestKey, TestKey, TestKey];
    const kept = [first, second, third].map((parts) => cache.of(1).crt(parts));
    expect(cache.of(1).crt(first)).toBe(kept[0]);
    cache.of(1).crt(fourth);
    expect(cache.size).toBe(3);
    expect(cache.of(1).crt(first)).toBe(kept[0]);
    expect(cache.of(1).crt(third)).toBe(kept[2]);
    expect(cache.of(1).crt(second)).not.toBe(kept[1]);
    expect(cache.size).toBe(3);
  });

  test("has nothing left of a scope that is over, and all of the others", () => {
    const cache = new KeyCache();
    const before = keys.map((parts) => [cache.of(1).crt(parts), cache.of(2).crt(parts)]);
    cache.drop(1);
    expect(cache.size).toBe(keys.length);
    for (const [index, parts] of keys.entries()) expect(cache.of(2).crt(parts)).toBe(before[index]![1]);
    expect(cache.of(1).crt(keys[0]!)).not.toBe(before[0]![0]);
  });

  test("keeps keys of a modulus and an exponent beside the others", () => {
    const cache = new KeyCache();
    const { n, d } = keys[0]!;
    const key = cache.of(1).power({ modulus: n, exponent: d });
    expect(cache.of(1).power({ modulus: Buffer.from(n), exponent: d })).toBe(key);
    expect(cache.of(1).power({ modulus: d, exponent: n })).not.toBe(key);
    expect(cache.of(1).power({ modulus: Buffer.of(4), exponent: d })).toBe("even-modulus");
    expect(cache.size).toBe(2);
  });

  test("keeps nothing of parts that make no key", () => {
    const cache = new KeyCache();
    expect(cache.of(1).crt({ ...keys[0]!, p: Buffer.of(60) })).toBe("even-modulus");
    expect(cache.size).toBe(0);
  });
});
