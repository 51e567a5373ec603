import { describe, expect, test } from "vitest";
import { Functions, type QueueInfo } from "../../../ap/queue-info.ts";
import { incompatibilities } from "./queue-compatibility.ts";

const all = 0xffc00000;
const native = Functions.classFull;
const stateless = Functions.classStateless;

const info = (functions: number, type = 13): QueueInfo => ({ functions: functions >>> 0, type, maxDomain: 255, messageLimit: 0, depth: 7 });

const lines = (source: QueueInfo, target: QueueInfo): string[] => incompatibilities(0x05ab, source, target).map(({ text }) => text);
const heading = "Migration failed: Source and target queue (05.00ab) not compatible";

describe("a facility that only one side has", () => {
  test.each([
    ["APSC facility", "installed", Functions.apsc],
    ["mex4k facility", "installed", Functions.mex4k],
    ["crt4k facility", "installed", Functions.crt4k],
    ["Coprocessor-mode facility", "installed", Functions.cca],
    ["Accelerator-mode facility", "installed", Functions.accelerator],
    ["XCP-mode facility", "installed", Functions.ep11],
    ["AP-extended-addressing (APXA) facility", "installed", Functions.apxa],
    ["Stateless-command-filtering (SLCF)", "available", Functions.slcf],
  ])("%s: is told of the source first", (name, state, bit) => {
    expect(lines(info(bit), info(0))).toEqual([
      heading,
      `${name} ${state} in source queue 05.00ab`,
      `${name} not ${state} in target queue 05.00ab`,
    ]);
    expect(lines(info(0), info(bit))).toEqual([
      heading,
      `${name} not ${state} in source queue 05.00ab`,
      `${name} ${state} in target queue 05.00ab`,
    ]);
    expect(lines(info(bit), info(bit))).toEqual([]);
  });
});

describe("the type", () => {
  test.each([10, 11, 12, 13, 14].flatMap((source) => [10, 11, 12, 13, 14].map((target): [number, number] => [source, target])))(
    "%i may become %i only if that is not older",
    (source, target) => {
      const hex = (type: number): string => type.toString(16).padStart(2, "0");
      expect(lines(info(all, source), info(all, target))).toEqual(
        source <= target ? [] : [heading, `AP type of source (${hex(source)}) not compatible with target (${hex(target)})`],
      );
    },
  );
});

describe("the class", () => {
  const refusal = [
    heading,
    "Full native card function available on source queue 05.00ab",
    "Only stateless functions available on target queue 05.00ab",
  ];

  test.each([
    [native, native, []],
    [stateless, stateless, []],
    [stateless, native, []],
    [native, stateless, refusal],
    [0, stateless, []],
    [native, 0, refusal],
  ])("%i may become %i: %j", (source, target, expected) => {
    expect(lines(info(source), info(target))).toEqual(expected);
  });
});

describe("the bind state", () => {
  test.each([
    [0, 1],
    [1, 0],
    [2, 3],
  ])("source %i and target %i must both be 0", (source, target) => {
    expect(lines(info(source << 14), info(target << 14))).toEqual([
      heading,
      `Bind/associate state for source (${source}) and target (${target}) queue 05.00ab must be 0`,
    ]);
  });
});

test("what is different and does not matter: highest domain, message limit, depth", () => {
  const target = { ...info(all), maxDomain: 84, messageLimit: 12, depth: 0 };
  expect(lines(info(all), target)).toEqual([]);
});

test("all that is incompatible is told, in one order", () => {
  const names = lines(info(all & ~stateless, 14), info(0x4000, 10)).map((line) => line.split(" ", 1)[0]);
  const facilities = ["APSC", "mex4k", "crt4k", "Coprocessor-mode", "Accelerator-mode", "XCP-mode", "AP-extended-addressing"];
  const pairs = [...facilities, "Stateless-command-filtering"].flatMap((name) => [name, name]);
  expect(names).toEqual(["Migration", ...pairs, "AP", "Bind/associate", "Full", "Only"]);
});

test("every line has a place of its own in the source, for each facility and side", () => {
  const sites = [info(all), info(0)].flatMap((source) =>
    incompatibilities(0x05ab, source, info(source.functions === 0 ? all : 0)).map(({ site }) => site),
  );
  expect(new Set(sites).size).toBe(1 + 8 * 4 + 2);
});
