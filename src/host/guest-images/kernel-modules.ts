import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Refusal } from "../control-protocol.ts";
import { elfSection } from "./elf.ts";

/** A kernel's module, decompressed: a guest would take longer. */
export interface KernelModule {
  /** With underscores, as the kernel calls it. */
  readonly name: string;
  /** Below the kernel's folder of modules, ending in .ko. */
  readonly path: string;
  readonly content: Buffer;
  /** Names of modules that must be loaded before. */
  readonly dependencies: readonly string[];
}

/** The named modules of a kernel and all they depend on, in the order of their paths; a name that the kernel has no module of is left out. */
export function kernelModules(folder: string, names: readonly string[]): KernelModule[] {
  const files = moduleFiles(folder);
  const found = new Map<string, KernelModule>();
  const wanted = names.map(moduleName);
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const file = files.get(name);
    if (file === undefined || found.has(name)) continue;
    const content = decompressed(file);
    const dependencies = dependenciesOf(content);
    found.set(name, { name, path: relative(folder, file).replace(compression, ""), content, dependencies });
    wanted.push(...dependencies);
  }
  return [...found.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** The file modules.dep, by which modprobe finds modules: each with all that must be loaded before it, the last first. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const chain = ({ dependencies }: KernelModule): string[] =>
    dependencies.flatMap((name) => {
      const needed = byName.get(name);
      return needed === undefined ? [] : [needed.path, ...chain(needed)];
    });
  // A module that two others need has to stand behind both.
  const ordered = (paths: readonly string[]): string[] => [...new Set([...paths].reverse())].reverse();
  return modules.map((module) => `${[`${module.path}:`, ...ordered(chain(module))].join(" ")}\n`).join("");
}

const compression = /\.(xz|zst|gz)$/;
const programs = { xz: "xz", zst: "zstd", gz: "gzip" } as const;
/** Of a module decompressed; the largest that kernels have are 5 MB. */
const maxModuleBytes = 64 << 20;

const moduleName = (name: string): string => name.replaceAll("-", "_");

/** Paths by the modules' names. */
function moduleFiles(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    paths.flatMap((path): [string, string][] => {
      const [, name] = /([^/]+)\.ko(?:\.xz|\.zst|\.gz)?$/.exec(path) ?? [];
      return name === undefined ? [] : [[moduleName(name), join(folder, path)]];
    }),
  );
}

function decompressed(path: string): Buffer {
  const [, suffix] = compression.exec(path) ?? [];
  if (suffix === undefined) return readFileSync(path);
  const program = programs[suffix as keyof typeof programs];
  const { status, stdout, stderr, error } = spawnSync(program, ["-dc", path], { maxBuffer: maxModuleBytes });
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    throw new Refusal(
      `${program} is missing, which unpacks the kernel's modules: as root, apt-get install ${program === "xz" ? "xz-utils" : program}`,
    );
  }
  if (status !== 0) throw new Refusal(`${path} cannot be unpacked: ${error?.message ?? stderr.toString().trim()}`);
  return stdout;
}

/** The section .modinfo is texts that end with a zero byte: depends=one,two. */
function dependenciesOf(content: Buffer): string[] {
  const texts = (elfSection(content, ".modinfo") ?? Buffer.alloc(0)).toString("latin1").split("\0");
  const value = texts.find((text) => text.startsWith("depends="))?.slice("depends=".length) ?? "";
  return value === "" ? [] : value.split(",").map(moduleName);
}
