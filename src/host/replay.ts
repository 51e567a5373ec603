import * as v from "valibot";
import { generationNames } from "../linux/generation.ts";
import { Errno } from "../sysfs/errno.ts";
import { inProcessTarget } from "./replay-target.ts";

/**
 * Replays a recorded trace: every operation of it on a fresh host, and every answer compared byte for byte. A line is one JSON object;
 * docs/traces.md describes the kinds.
 */
const path = v.pipe(v.string(), v.startsWith("/sys"));
const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255));
const errno = v.optional(v.string());

export const traceStart = v.object({ kernel: v.picklist(generationNames), cmdline: v.string() });
export type TraceStart = v.InferOutput<typeof traceStart>;

export const hardwareLine = v.variant("hw", [
  v.object({ hw: v.literal("card"), id, type: id, mode: v.picklist(["accelerator", "cca", "ep11"]) }),
  v.object({ hw: v.literal("remove-card"), id }),
  v.object({ hw: v.picklist(["config", "checkstop", "usage-domain", "control-domain"]), id, on: v.boolean() }),
]);
export type HardwareLine = v.InferOutput<typeof hardwareLine>;

const traceLine = v.union([
  hardwareLine,
  v.object({ write: path, data: v.string(), errno }),
  v.object({ read: path, data: v.optional(v.string()), errno }),
  v.object({ list: path, entries: v.optional(v.array(v.string())), errno }),
  v.object({ vm: v.number() }),
  v.object({ open: v.number(), mdev: v.string(), errno }),
  v.object({ close: v.number(), errno }),
  v.object({ settle: v.literal(true) }),
  v.object({ kmsg: v.array(v.string()), zapq: v.array(v.string()) }),
]);
type TraceLine = v.InferOutput<typeof traceLine>;

/** What a replay works on. Operations throw Errno, or an error with such a `code`. */
export interface ReplayTarget {
  hardware(line: HardwareLine): Promise<void>;
  read(path: string): Promise<string>;
  write(path: string, data: string): Promise<void>;
  list(path: string): Promise<string[]>;
  createVm(vm: number): Promise<void>;
  open(vm: number, mdev: string): Promise<void>;
  close(vm: number): Promise<void>;
  settle(): Promise<void>;
  /** Kernel log lines and resets since the last call. */
  takeLog(): Promise<{ kmsg: string[]; zapq: string[] }>;
  stop(): Promise<void>;
}

export type StartTarget = (start: TraceStart) => Promise<ReplayTarget>;

export interface Mismatch {
  /** Counted from 1. */
  readonly line: number;
  readonly step: string;
  readonly expected: string;
  readonly got: string;
}

export interface ReplayResult {
  readonly steps: number;
  readonly mismatches: readonly Mismatch[];
}

/** A trace that is none: says which line and why. */
export class BadTrace extends Error {}

export async function replayTrace(lines: readonly string[], startTarget: StartTarget = inProcessTarget): Promise<ReplayResult> {
  const [first = "", ...rest] = lines;
  const target = await startTarget(parse(traceStart, first, 1));
  const mismatches: Mismatch[] = [];
  let steps = 0;
  try {
    for (const [index, text] of rest.entries()) {
      if (text.trim() === "") continue;
      const line = parse(traceLine, text, index + 2);
      const { expected, got } = await perform(target, line);
      steps++;
      if (expected !== got) mismatches.push({ line: index + 2, step: describe(line), expected, got });
    }
  } finally {
    await target.stop();
  }
  return { steps, mismatches };
}

function parse<Schema extends v.GenericSchema>(schema: Schema, text: string, line: number): v.InferOutput<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BadTrace(`line ${line}: not JSON`);
  }
  const result = v.safeParse(schema, json);
  if (!result.success) throw new BadTrace(`line ${line}: ${v.summarize(result.issues)}`);
  return result.output;
}

async function perform(target: ReplayTarget, line: TraceLine): Promise<{ expected: string; got: string }> {
  if ("hw" in line) return compare("done", line, () => target.hardware(line));
  if ("write" in line) return compare("done", line, () => target.write(line.write, line.data));
  if ("read" in line) return compare(`data ${line.data}`, line, async () => `data ${await target.read(line.read)}`);
  if ("list" in line) {
    const entries = [...(line.entries ?? [])].sort().join("\n");
    return compare(entries, line, async () => (await target.list(line.list)).sort().join("\n"));
  }
  if ("vm" in line) return compare("done", line, () => target.createVm(line.vm));
  if ("open" in line) return compare("done", line, () => target.open(line.open, line.mdev));
  if ("close" in line) return compare("done", line, () => target.close(line.close));
  if ("settle" in line) return compare("done", line, () => target.settle());
  const { kmsg, zapq } = await target.takeLog();
  return { expected: JSON.stringify({ kmsg: line.kmsg, zapq: line.zapq }), got: JSON.stringify({ kmsg, zapq }) };
}

async function compare(success: string, line: TraceLine, act: () => Promise<string | void>): Promise<{ expected: string; got: string }> {
  const expected = "errno" in line && line.errno !== undefined ? line.errno : success;
  try {
    return { expected, got: (await act()) ?? "done" };
  } catch (error) {
    const code = error instanceof Errno ? error.code : (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return { expected, got: code };
  }
}

function describe(line: TraceLine): string {
  const [[kind, subject] = ["", ""]] = Object.entries(line);
  return `${kind} ${typeof subject === "string" ? subject : JSON.stringify(line)}`;
}
