import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../control-protocol.ts";
import { packageRoot } from "../package-root.ts";
import type { CpioEntry } from "./cpio.ts";
import { modules, programs } from "./guest-image-recipes.ts";
import { kernelModules, modulesDep } from "./kernel-modules.ts";
import { neededLibraries } from "./needed-libraries.ts";
import { ownSources } from "./own-sources.ts";

/**
 * What a guest's memory holds at its start: programs of the unpacked packages with the libraries that these need, modules of the kernel, and the
 * two scripts of ours. Everything is below usr, as in a Debian with merged folders. The same packages give the same entries in the same order. It
 * stays uncompressed: unpacking would take an eighth of the boot.
 */
export function initramfs(root: string, kernelVersion: string): CpioEntry[] {
  const found = programs.map((name) => programFile(root, name));
  const engines = engineFiles(root);
  const files = [
    ...found,
    ...engines,
    ...libraryFiles(
      root,
      [...found, ...engines].map(({ content }) => content),
    ),
    ...moduleFiles(root, kernelVersion),
    ...ownFiles(),
  ];
  const entries = [...links, ...files];
  return [...foldersOf(entries), ...entries].sort((one, other) => (one.path < other.path ? -1 : 1));
}

type File = Extract<CpioEntry, { kind: "file" }>;

/** Where file systems are mounted, and where programs expect a folder. */
const emptyFolders = ["dev", "etc", "proc", "root", "run", "sys", "tmp"];
const links: readonly CpioEntry[] = ["bin", "lib", "sbin"].map((name) => ({ path: name, kind: "link", target: `usr/${name}` }));
const libraries = "usr/lib/s390x-linux-gnu";

function programFile(root: string, name: string): File {
  const path = [`usr/bin/${name}`, `usr/sbin/${name}`].find((candidate) => existsSync(join(root, candidate)));
  if (path === undefined) throw new Refusal(`the packages hold no program ${name}`);
  return { path, kind: "file", content: readFileSync(join(root, path)), isExecutable: true };
}

/** Where the package openssl-ibmca puts its engine and, later, its provider; both stand where OpenSSL looks. */
function engineFiles(root: string): File[] {
  const sources = [
    { path: `${libraries}/engines-3/ibmca.so`, from: ["openssl-1.0.2/engines/libibmca.so", "engines-3/ibmca.so", "engines-1.1/ibmca.so"] },
    { path: `${libraries}/ossl-modules/ibmca-provider.so`, from: ["ossl-modules/ibmca-provider.so"] },
  ];
  return sources.flatMap(({ path, from }) => {
    const source = from.map((name) => join(root, libraries, name)).find((candidate) => existsSync(candidate));
    return source === undefined ? [] : [{ path, kind: "file" as const, content: readFileSync(source), isExecutable: false }];
  });
}

/** With what they need in turn. The loader's path is compiled into programs: /lib/ld64.so.1. */
function libraryFiles(root: string, users: readonly Buffer[]): File[] {
  const found = new Map<string, File>();
  const wanted = [...users.flatMap(neededLibraries)];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (found.has(name)) continue;
    const source = [libraries, "usr/lib"].map((folder) => join(root, folder, name)).find((candidate) => existsSync(candidate));
    if (source === undefined) throw new Refusal(`the packages hold no library ${name}`);
    const content = readFileSync(realpathSync(source));
    const path = name.startsWith("ld64.so") ? `usr/lib/${name}` : `${libraries}/${name}`;
    found.set(name, { path, kind: "file", content, isExecutable: true });
    wanted.push(...neededLibraries(content));
  }
  return [...found.values()];
}

function moduleFiles(root: string, kernelVersion: string): File[] {
  const folder = join("usr/lib/modules", kernelVersion);
  const found = kernelModules(join(root, folder), modules);
  if (!found.some(({ name }) => name === modules[0])) throw new Refusal(`the kernel ${kernelVersion} has no module ${modules[0]}`);
  const text = (path: string, content: Buffer): File => ({ path: join(folder, path), kind: "file", content, isExecutable: false });
  return [...found.map(({ path, content }) => text(path, content)), text("modules.dep", Buffer.from(modulesDep(found)))];
}

const ownFiles = (): File[] =>
  ownSources.map(({ path, source }) => ({ path, kind: "file", content: readFileSync(join(packageRoot, source)), isExecutable: true }));

function foldersOf(entries: readonly CpioEntry[]): CpioEntry[] {
  const paths = new Set(emptyFolders);
  for (const { path } of entries) {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length++) paths.add(parts.slice(0, length).join("/"));
  }
  return [...paths].map((path) => ({ path, kind: "folder" }));
}

/** The only one that the unpacked packages have. */
export function kernelVersionIn(root: string): string {
  const folder = join(root, "usr/lib/modules");
  const [version] = existsSync(folder) ? readdirSync(folder).sort() : [];
  if (version === undefined) throw new Refusal("the packages hold no kernel");
  return version;
}

/** Debian's since 7.2 is with the modules. */
export function kernelFile(root: string, version: string): string {
  const path = [`boot/vmlinuz-${version}`, `usr/lib/modules/${version}/vmlinuz`]
    .map((name) => join(root, name))
    .find((name) => existsSync(name));
  if (path === undefined) throw new Refusal(`the packages hold no kernel ${version}`);
  return path;
}
