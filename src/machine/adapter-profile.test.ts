import { expect, test } from "vitest";
import { adapterProfile, adapterProfileByName, adapterProfileName } from "./adapter-profile.ts";

test.each(
  (
    [
      ["CEX2A", 6, "accelerator", 0x68000000],
      ["CEX2C", 7, "cca", 0x90800000],
      ["CEX3A", 8, "accelerator", 0x68000000],
      ["CEX3C", 9, "cca", 0x90800000],
      ["CEX4A", 10, "accelerator", 0x6a000000],
      ["CEX5C", 11, "cca", 0x92800000],
      ["CEX6P", 12, "ep11", 0x86000000],
      ["CEX7C", 13, "cca", 0x92800000],
      ["CEX8P", 14, "ep11", 0x86000000],
    ] as const
  ).map(([name, type, mode, functions]) => [name, type, mode, functions.toString(16), functions] as const),
)("%s is type %d in mode %s with the functions 0x%s", (name, type, mode, _hex, functions) => {
  const profile = adapterProfileByName(name);
  expect(profile).toMatchObject({ type, mode, functions, depth: 8, maxDomain: type < 10 ? 15 : 255 });
  expect(profile && adapterProfileName(profile)).toBe(name);
  expect(adapterProfileByName(name.toLowerCase())).toEqual(profile);
});

test.each(["CEX1C", "CEX9C", "CEX3P", "CEX2P", "CEX5", "CEX5X", "", "CEX55C", "xCEX5C"])("there is no %j", (name) => {
  expect(adapterProfileByName(name)).toBeUndefined();
});

test("a type without a name is called by its number", () => {
  expect(adapterProfileName(adapterProfile(15, "cca"))).toBe("type 15");
});

test("messages of 48 KiB since CEX8, of 12 KiB before", () => {
  expect([adapterProfile(13, "cca").messageLimit, adapterProfile(14, "cca").messageLimit]).toEqual([0, 12]);
});
