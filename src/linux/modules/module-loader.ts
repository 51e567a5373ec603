import { type AttributeTable, attributeTable, readOnly } from "../../sysfs/attribute.ts";
import { fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { ueventTrigger } from "../driver-core/uevent-file.ts";
import type { Job } from "../time/work-queue.ts";

/**
 * Modules that can be loaded and unloaded, with what they depend on, and their folders in /sys/module.
 * Source: Linux kernel/module/main.c, kernel/params.c.
 */
export interface ModuleDefinition {
  readonly name: string;
  /** Bytes, as lsmod prints them; of the size that such a module has on s390x. */
  readonly size: number;
  readonly depends: readonly string[];
  /** `folder` is the module's in /sys/module. */
  readonly load: (folder: Directory) => Job<void>;
  readonly unload: () => Job<void>;
  /** How many users it has besides other modules. */
  readonly users?: () => number;
}

export interface LoadedModule {
  readonly name: string;
  readonly size: number;
  readonly usedBy: readonly string[];
  readonly references: number;
}

export class ModuleLoader {
  readonly directory: Directory;
  readonly #definitions: ReadonlyMap<string, ModuleDefinition>;
  /** In the order they were loaded. */
  readonly #loaded = new Map<string, ModuleDefinition>();

  constructor(directory: Directory, definitions: readonly ModuleDefinition[]) {
    this.directory = directory;
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
  }

  isKnown(name: string): boolean {
    return this.#definitions.has(canonical(name));
  }

  isLoaded(name: string): boolean {
    return this.#loaded.has(canonical(name));
  }

  /** Newest first, as lsmod prints them. */
  get modules(): LoadedModule[] {
    return [...this.#loaded.values()].reverse().map((definition) => {
      const usedBy = [...this.#loaded.values()].filter((other) => other.depends.includes(definition.name)).map((other) => other.name);
      return { name: definition.name, size: definition.size, usedBy, references: usedBy.length + (definition.users?.() ?? 0) };
    });
  }

  /** ENOENT: no such module. What it depends on comes first. Loading what is loaded does nothing. */
  *load(name: string): Job<void> {
    const definition = this.#definitions.get(canonical(name)) ?? fail("ENOENT");
    if (this.#loaded.has(definition.name)) return;
    for (const dependency of definition.depends) yield* this.load(dependency);
    const folder = new Directory(definition.name);
    folder.attach(moduleAttributes, { loader: this, definition });
    folder.addDirectory(new Directory("drivers"));
    folder.addDirectory(new Directory("holders"));
    this.directory.addDirectory(folder);
    try {
      yield* definition.load(folder);
    } catch (error) {
      this.directory.remove(definition.name);
      throw error;
    }
    this.#loaded.set(definition.name, definition);
    for (const dependency of definition.depends) this.#holders(dependency)?.addLink(definition.name, folder);
  }

  /** ENOENT: not loaded; EAGAIN: in use. */
  *unload(name: string): Job<void> {
    const definition = this.#loaded.get(canonical(name)) ?? fail("ENOENT");
    if (this.#references(definition) > 0) fail("EAGAIN");
    yield* definition.unload();
    this.#loaded.delete(definition.name);
    for (const dependency of definition.depends) this.#holders(dependency)?.remove(definition.name);
    this.directory.remove(definition.name);
  }

  #references(definition: ModuleDefinition): number {
    return this.modules.find((loaded) => loaded.name === definition.name)?.references ?? 0;
  }

  #holders(name: string): Directory | undefined {
    const folder = this.directory.lookup(name);
    const holders = folder?.kind === "directory" ? folder.lookup("holders") : undefined;
    return holders?.kind === "directory" ? holders : undefined;
  }
}

/** A module's name with - for _ means the same. */
const canonical = (name: string): string => name.replaceAll("-", "_");

interface Folder {
  readonly loader: ModuleLoader;
  readonly definition: ModuleDefinition;
}

const moduleAttributes: AttributeTable<Folder> = attributeTable<Folder>(
  ueventTrigger(),
  readOnly("coresize", ({ definition }) => `${definition.size}\n`),
  readOnly("initsize", () => "0\n"),
  readOnly("initstate", () => "live\n"),
  readOnly("refcnt", ({ loader, definition }) => `${loader.modules.find((loaded) => loaded.name === definition.name)?.references ?? 0}\n`),
  readOnly("taint", () => "\n"),
);
