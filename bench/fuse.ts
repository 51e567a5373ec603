import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isMounted, run, ToyProcess, untilUnmounted } from "../src/runtime/toy-process.ts";
import { benchFolder, compile } from "./compile.ts";
import type { Measurement } from "./measurement.ts";

/**
 * What a system call on our mount costs, against the smallest C program that serves the same with libfuse and the same flags. Servers and
 * client share one processor: that is the cost of the software alone. The two are measured in turn, several times; what counts is
 * the median of the medians.
 */
export interface Comparison {
  readonly name: string;
  readonly ours_us: number;
  readonly reference_us: number;
  readonly ratio: number;
  readonly limit: number;
}

type Medians = Readonly<Record<string, { readonly median: number }>>;

const processor = "0";
const rounds = 5000;
const passes = 5;
const limits: Readonly<Record<string, number>> = {
  pread: 1.3,
  "open-read-close": 1.3,
  "open-write-close": 1.5,
  "cached-pread": 1.3,
  "cached-open-read-close": 1.3,
};

/** `folder` is for the compiled programs and the mount points. */
export async function compareFuse(folder: string): Promise<Comparison[]> {
  const flags = execFileSync("pkg-config", ["--cflags", "--libs", "fuse3"], { encoding: "utf8" }).trim().split(/\s+/);
  const server = compile(folder, "fuse-reference.c", ...flags);
  const client = compile(folder, "fuse-client.c");
  const referencePoint = join(folder, "reference");
  mkdirSync(referencePoint);
  const reference = spawn("taskset", ["-c", processor, server, "-f", "-o", "allow_other,default_permissions", referencePoint], {
    stdio: "inherit",
  });
  const toy = await ToyProcess.start({}, mkdtempSync(join(folder, "ours-")), ["taskset", "-c", processor]);
  try {
    while (!isMounted(referencePoint)) await new Promise((resolve) => setTimeout(resolve, 10));
    const measure = (...paths: string[]): Medians =>
      JSON.parse(execFileSync(client, [processor, String(rounds), ...paths], { encoding: "utf8" })) as Medians;
    const ours: Medians[] = [];
    const theirs: Medians[] = [];
    for (let pass = 0; pass < passes; pass++) {
      theirs.push(measure(join(referencePoint, "direct"), join(referencePoint, "value"), join(referencePoint, "cached")));
      ours.push(measure(toy.path("decimal"), toy.path("text"), toy.path("hex")));
    }
    return Object.entries(limits).map(([name, limit]) => {
      const [ours_us, reference_us] = [medianOf(ours, name), medianOf(theirs, name)];
      return { name, ours_us, reference_us, ratio: Number((ours_us / reference_us).toFixed(3)), limit };
    });
  } finally {
    reference.kill("SIGTERM");
    await toy.destroy();
    if (!(await untilUnmounted(referencePoint, 5000))) await run("umount", "-l", referencePoint);
  }
}

export async function measureFuse(folder: string): Promise<Measurement[]> {
  const comparisons = await compareFuse(folder);
  return comparisons.map(({ name, ratio, limit }) => ({ name: `${name} against libfuse in C`, value: ratio, unit: "times", limit }));
}

const medianOf = (passes: readonly Medians[], name: string): number => {
  const values = passes.map((pass) => pass[name]?.median ?? 0).sort((left, right) => left - right);
  return (values[values.length >> 1] ?? 0) / 1000;
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = benchFolder();
  try {
    for (const comparison of await compareFuse(folder)) console.log(JSON.stringify(comparison));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
