import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../../host/control-protocol.ts";
import { mountedTarget } from "../../host/mounted-replay-target.ts";
import { BadTrace, type ReplayResult, replayTrace } from "../../host/replay.ts";
import { inProcessTarget } from "../../host/replay-target.ts";
import { systemErrorText } from "../../host/system-error-text.ts";
import { type Command, exitStatus, type Invocation } from "../command.ts";

export const replay: Command = {
  name: "replay",
  summary: "replay recorded traces on fresh hosts and compare every answer",
  arguments: [{ name: "FILE", description: "a trace, one JSON object a line, or a folder: every *.jsonl below it", isList: true }],
  options: [{ flags: "--mount", description: "through a mount instead of in process" }],
  async run(invocation) {
    let steps = 0;
    let mismatches = 0;
    for (const file of invocation.arguments.flatMap(tracesAt)) {
      const result = await replayFile(file, invocation.options.mount === true);
      steps += result.steps;
      mismatches += result.mismatches.length;
      report(invocation, file, result);
    }
    if (!invocation.wantsJson) invocation.output.print(`${steps} steps, ${mismatches} mismatches`);
    return mismatches > 0 ? exitStatus.refused : exitStatus.done;
  },
};

/** A file is itself; of a folder the traces below it, sorted. */
function tracesAt(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const traces = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"));
  if (traces.length === 0) throw new Refusal(`${path}: no trace (*.jsonl) is below it`);
  return traces.sort().map((name) => join(path, name));
}

async function replayFile(file: string, isMounted: boolean): Promise<ReplayResult> {
  const lines = readLines(file);
  try {
    return await replayTrace(lines, isMounted ? mountedTarget({ clock: "manual" }) : inProcessTarget);
  } catch (error) {
    if (error instanceof BadTrace) throw new Refusal(`${file}: ${error.message}`);
    throw error;
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch (error) {
    throw new Refusal(`${file}: cannot be read: ${systemErrorText(error)}`);
  }
}

function report({ wantsJson, output }: Invocation, file: string, { steps, mismatches }: ReplayResult): void {
  if (wantsJson) output.print(JSON.stringify({ file, steps, mismatches }));
  else
    for (const { line, step, expected, got } of mismatches)
      output.print(`${file}:${line}: ${oneLine(`${step}: expected ${expected}, got ${got}`)}`);
}

const oneLine = (text: string): string => text.replaceAll("\n", "\\n");
