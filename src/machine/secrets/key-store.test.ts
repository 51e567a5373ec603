import { describe, expect, test } from "vitest";
import { type DomainKeys, KeyStore } from "./key-store.ts";
import { loadTestKey, settingOf, testKey } from "./test-keys.ts";

function observed(): { store: KeyStore; told: DomainKeys[] } {
  const store = new KeyStore();
  const told: DomainKeys[] = [];
  store.observe((domain) => told.push(domain));
  return { store, told };
}

const value = new Uint8Array(32).fill(7);

describe("a store of keys", () => {
  test("has none for a domain that nobody loaded one into", () => {
    expect(new KeyStore().registers(5, 4, "aes")).toEqual({ next: undefined, current: undefined, old: undefined });
  });

  test("keeps each domain's and each kind's keys apart", () => {
    const store = new KeyStore();
    store.change(5, 4, "aes", settingOf("aes", value));
    expect(store.registers(5, 4, "aes").current).toEqual(value);
    for (const [adapter, domain, kind] of [
      [5, 5, "aes"],
      [4, 5, "aes"],
      [5, 4, "apka"],
    ] as const) {
      expect(store.registers(adapter, domain, kind).current).toBeUndefined();
    }
  });

  test("does all of a list of operations or none, and tells once", () => {
    const { store, told } = observed();
    expect(store.change(5, 4, "aes", [{ do: "load", part: "first", value }, { do: "set" }])).toBe("not-full");
    expect(store.registers(5, 4, "aes").next).toBeUndefined();
    expect(told).toEqual([]);
    expect(store.change(5, 4, "aes", settingOf("aes", value))).toBeUndefined();
    expect(told).toEqual([{ queue: 0x0504, keys: { aes: { next: undefined, current: value, old: undefined } } }]);
  });

  test("tells nothing where nothing changed", () => {
    const { store, told } = observed();
    store.change(5, 4, "aes", [{ do: "clear" }]);
    store.zeroize(5, 4);
    loadTestKey(store, 5, 4, "aes");
    loadTestKey(store, 5, 4, "aes");
    expect(told).toHaveLength(1);
  });

  test("tells that a domain has no key left", () => {
    const { store, told } = observed();
    store.change(5, 4, "aes", [{ do: "load", part: "first", value }]);
    store.change(5, 4, "aes", [{ do: "clear" }]);
    loadTestKey(store, 5, 4, "asym");
    store.zeroize(5, 4);
    expect(told.map(({ keys }) => Object.keys(keys))).toEqual([["aes"], [], ["asym"], []]);
    expect(store.registers(5, 4, "asym").current).toBeUndefined();
  });

  test("made from what it told is the same", () => {
    const { store, told } = observed();
    loadTestKey(store, 5, 4, "aes");
    loadTestKey(store, 5, 4, "ep11");
    store.change(5, 4, "aes", [{ do: "load", part: "first", value }]);
    const copy = new KeyStore(structuredClone([told.at(-1)!]));
    for (const kind of ["aes", "ep11", "apka"] as const) expect(copy.registers(5, 4, kind)).toEqual(store.registers(5, 4, kind));
  });

  test("shows EP11 a new key from its last part on, and whether it is committed", () => {
    const { store } = observed();
    loadTestKey(store, 5, 4, "ep11");
    const current = testKey("ep11");
    expect(store.wrappingKeys(5, 4)).toEqual({ current, next: undefined });
    store.change(5, 4, "ep11", [{ do: "load", part: "first", value }]);
    expect(store.wrappingKeys(5, 4)).toEqual({ current, next: undefined });
    store.change(5, 4, "ep11", [{ do: "load", part: "last", value: new Uint8Array(32) }]);
    expect(store.wrappingKeys(5, 4)).toEqual({ current, next: { key: value, isCommitted: false } });
    store.change(5, 4, "ep11", [{ do: "commit" }]);
    expect(store.wrappingKeys(5, 4)).toEqual({ current, next: { key: value, isCommitted: true } });
  });
});
