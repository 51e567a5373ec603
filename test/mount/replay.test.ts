import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mountedTarget } from "../../src/host/mounted-replay-target.ts";
import { replayTrace } from "../../src/host/replay.ts";
import { needsMount } from "../cli/sandbox.ts";

/** The recorded traces as system calls on a mounted tree. */
const traces = join(import.meta.dirname, "../traces");
const linesOf = (name: string): string[] => readFileSync(join(traces, name), "utf8").trimEnd().split("\n");
needsMount();

describe.each(readdirSync(traces).sort())("Linux %s", (kernel) => {
  const files = readdirSync(join(traces, kernel)).sort();

  test.each(files)("%s replays through a mount without a mismatch", async (file) => {
    const lines = linesOf(join(kernel, file));
    expect(await replayTrace(lines, mountedTarget({ clock: "manual" }))).toEqual({ steps: lines.length - 1, mismatches: [] });
  });
});

/** A question to a card counts as a request, which the traces compare; the recorded machine's cards do not answer. */
const asksNoCard = ["serialnr", "mkvps", "op_modes", "API_ordinalnr", "FW_version"].map((name) => `! -name ${name}`).join(" ");

test.each(["7.2/hotplug.jsonl", "7.2/random-109.jsonl", "6.12/random-214.jsonl", "6.1/random-304.jsonl"])(
  "%s replays without a mismatch while other processes read the tree and the bus's timers run",
  async (file) => {
    const readers: ReturnType<typeof spawn>[] = [];
    const lines = linesOf(file);
    const target = mountedTarget({
      clock: "real",
      onMounted: (sys) => {
        const loop = `while cat $(find ${sys}/bus ${sys}/devices -type f -perm /444 ${asksNoCard}) > /dev/null 2>&1 || test -e ${sys}/bus; do :; done`;
        for (let count = 0; count < 2; count++) readers.push(spawn("bash", ["-c", loop], { stdio: "ignore", cwd: "/" }));
      },
    });
    try {
      expect(await replayTrace(lines, target)).toEqual({ steps: lines.length - 1, mismatches: [] });
      expect(readers.length).toBe(2);
    } finally {
      for (const reader of readers) reader.kill("SIGKILL");
    }
  },
);
