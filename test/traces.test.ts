import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BadTrace, replayTrace } from "../src/host/replay.ts";

/** What real kernels answered, replayed on fresh hosts in process. docs/traces.md describes the files. */
const root = new URL("traces/", import.meta.url).pathname;
const kernels = readdirSync(root).sort();

const linesOf = (file: string): string[] => readFileSync(file, "utf8").trimEnd().split("\n");

describe.each(kernels)("recorded answers of Linux %s", (kernel) => {
  const files = readdirSync(join(root, kernel))
    .filter((name) => name.endsWith(".jsonl"))
    .sort();

  test("are there", () => {
    expect(files.length).toBeGreaterThan(15);
  });

  test.each(files)("%s replays without a mismatch", async (file) => {
    const lines = linesOf(join(root, kernel, file));
    expect(await replayTrace(lines)).toEqual({ steps: lines.length - 1, mismatches: [] });
  });
});

describe("a trace that is not what the kernel answered", () => {
  const recorded = linesOf(join(root, "7.2", "hotplug.jsonl"));

  /** Changes one line, of the first that `applies` accepts. Its number counts from 1. */
  function altered(applies: (line: Record<string, unknown>) => boolean, change: (line: Record<string, unknown>) => unknown) {
    const index = recorded.findIndex((text) => applies(JSON.parse(text)));
    expect(index).toBeGreaterThan(0);
    const lines = [...recorded];
    lines[index] = JSON.stringify(change(JSON.parse(lines[index] ?? "")));
    return { lines, number: index + 1 };
  }

  const cases: [string, (line: Record<string, unknown>) => boolean, (line: Record<string, unknown>) => unknown][] = [
    ["an errno where there was none", (line) => "write" in line && !line.errno, (line) => ({ ...line, errno: "EBUSY" })],
    ["another errno", (line) => line.errno !== undefined, (line) => ({ ...line, errno: "EPERM" })],
    ["an errno left out", (line) => line.errno !== undefined, ({ errno: _, ...line }) => ("read" in line ? { ...line, data: "" } : line)],
    ["one blank more in a text", (line) => "read" in line && !!line.data, (line) => ({ ...line, data: ` ${line.data}` })],
    [
      "a log line less",
      (line) => Array.isArray(line.kmsg) && line.kmsg.length > 0,
      (line) => ({ ...line, kmsg: (line.kmsg as string[]).slice(1) }),
    ],
    [
      "a log line with another level",
      (line) => Array.isArray(line.kmsg) && line.kmsg.length > 0,
      (line) => ({ ...line, kmsg: (line.kmsg as string[]).map((text) => text.replace(/^<\d>/, "<3>")) }),
    ],
    [
      "resets in another order",
      (line) => Array.isArray(line.zapq) && new Set(line.zapq).size > 1,
      (line) => ({ ...line, zapq: [...(line.zapq as string[])].reverse() }),
    ],
    ["a reset less", (line) => Array.isArray(line.zapq) && line.zapq.length > 0, (line) => ({ ...line, zapq: [] })],
  ];

  test.each(cases)("is reported with the number of its line: %s", async (_title, applies, change) => {
    const { lines, number } = altered(applies, change);
    const { mismatches } = await replayTrace(lines);
    expect(mismatches.map(({ line }) => line)).toEqual([number]);
    expect(mismatches[0]?.expected).not.toBe(mismatches[0]?.got);
  });

  test("is reported when a directory has another entry, mode or link target", async () => {
    const tree = linesOf(join(root, "7.2", "tree.jsonl"));
    const index = tree.findIndex((text) => text.includes(" -> "));
    for (const [from, to] of [
      [" -> ../", " -> "],
      [" 100444", " 100400"],
      ['"uevent ', '"uevents '],
    ] as const) {
      const at = tree.findIndex((text, number) => number >= Math.min(index, 1) && text.includes('"list"') && text.includes(from));
      const lines = tree.with(at, (tree[at] ?? "").replace(from, to));
      const { mismatches } = await replayTrace(lines);
      expect(mismatches.map(({ line }) => line)).toEqual([at + 1]);
    }
  });
});

describe("a file that is no trace", () => {
  const start = JSON.stringify({ kernel: "7.2", cmdline: "" });
  const id = "62177883-f1bb-47f0-914d-32a22e3a8804";

  const cases: [string, string[], string][] = [
    ["an empty file", [""], "line 1"],
    ["no kernel on the first line", ['{"cmdline":""}'], "line 1"],
    ["a kernel that is not imitated", ['{"kernel":"5.4","cmdline":""}'], "line 1"],
    ["a line that is no JSON", [start, "{"], "line 2"],
    ["a line of no known kind", [start, '{"settle":true}', '{"jump":1}'], "line 3"],
    ["an adapter number above 255", [start, '{"hw":"card","id":256,"type":13,"mode":"cca"}'], "line 2"],
    ["a mode that no adapter has", [start, '{"hw":"card","id":1,"type":13,"mode":"xcp"}'], "line 2"],
    ["hardware of no known kind", [start, '{"hw":"fan","id":1,"on":true}'], "line 2"],
    ["a path outside /sys", [start, '{"settle":true}', "", '{"read":"/etc/passwd","data":""}'], "line 4"],
    ["a write without data", [start, '{"write":"/sys/bus/ap/scans"}'], "line 2"],
    ["a kmsg line without resets", [start, '{"kmsg":[]}'], "line 2"],
    ["an open without a device", [start, `{"vm":0}`, `{"open":0}`], "line 3"],
    ["a second header", [start, start], "line 2"],
  ];

  test.each(cases)("names the line: %s", async (_title, lines, where) => {
    await expect(replayTrace(lines)).rejects.toThrow(BadTrace);
    await expect(replayTrace(lines)).rejects.toThrow(new RegExp(`^${where}: `));
  });

  test("empty lines are passed over and counted", async () => {
    const result = await replayTrace([
      start,
      "",
      '{"read":"/sys/bus/ap/nosuch","errno":"ENOENT"}',
      "",
      '{"read":"/sys/bus/ap/nosuch","data":""}',
    ]);
    expect(result.steps).toBe(2);
    expect(result.mismatches.map(({ line, got }) => [line, got])).toEqual([[5, "ENOENT"]]);
  });

  test("opening a device that is not there is an answer, not an end", async () => {
    const result = await replayTrace([start, '{"vm":0}', `{"open":0,"mdev":"${id}","errno":"ENOENT"}`, '{"close":0,"errno":"ENODEV"}']);
    expect(result).toEqual({ steps: 3, mismatches: [] });
  });
});
