import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/**
 * Holds the imports of src against the layers: what a folder may import of ours, and that no files import each other in a circle
 * (imports of types alone do not count for circles). Prints what is wrong, a line each; exit 1.
 */
const layers: Record<string, readonly string[]> = {
  ap: [],
  sysfs: [],
  fuse: ["sysfs"],
  machine: ["ap"],
  kvm: ["machine", "ap"],
  linux: ["kvm", "sysfs", "ap"],
  qemu: ["linux", "kvm", "ap", "sysfs"],
  guest: ["qemu", "linux", "kvm", "ap", "sysfs"],
  runtime: ["fuse", "sysfs"],
  migration: ["qemu", "linux", "kvm", "ap", "sysfs"],
  host: ["migration", "guest", "qemu", "runtime", "linux", "kvm", "machine", "ap", "sysfs"],
  cli: ["host", "migration", "guest", "qemu", "runtime", "linux", "machine", "ap", "sysfs", "fuse"],
  "index.ts": ["host", "runtime", "linux", "machine", "ap", "sysfs"],
};

const root = resolve(import.meta.dirname ?? ".", "../../src");
const importPattern = /^(?:import|export)\s+(type\s+)?(?:[^"']*?\sfrom\s+)?["'](\.[^"']+)["']/gm;

interface Import {
  readonly target: string;
  readonly isTypeOnly: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const problems = [...layerProblems(), ...circleProblems()];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(importPattern)].map(([statement, type, path = ""]) => ({
    target: relative(root, resolve(root, dirname(file), path)),
    isTypeOnly: type !== undefined || /^import\s*\{(\s*type\s[^,}]+,?)+\s*\}/.test(statement),
  }));
}

function layerProblems(): string[] {
  const layerOf = (file: string): string => file.split("/")[0] ?? file;
  return [...imports].flatMap(([file, targets]) => {
    const own = layerOf(file);
    const allowed = layers[own];
    if (!allowed) return [`src/${file}: its folder is in no layer`];
    return targets
      .map(({ target }) => layerOf(target))
      .filter((layer) => layer !== own && !allowed.includes(layer))
      .map((layer) => `src/${file}: ${own} may not import ${layer}`);
  });
}

function circleProblems(): string[] {
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
      return;
    }
    state.set(file, "open");
    for (const { target, isTypeOnly } of imports.get(file) ?? []) if (!isTypeOnly) visit(target, [...path, file]);
    state.set(file, "done");
  };
  for (const file of files) visit(file, []);
  return found;
}
