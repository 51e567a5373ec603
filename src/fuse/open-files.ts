import type { AttributeNode, Directory } from "../sysfs/node.ts";

/** One open(2) of an attribute. */
export interface OpenFile {
  readonly kind: "file";
  readonly node: AttributeNode;
  /** The kernel keeps what is read through it. */
  readonly isCached: boolean;
  /** The text that was taken when reading began, and where the next read goes on; as seq_file keeps them. */
  text: string | undefined;
  position: number;
}

/** One opendir(3); the names are those of the moment when reading began. */
export interface OpenDirectory {
  readonly kind: "directory";
  readonly node: Directory;
  names: readonly string[];
}

export type Open = OpenFile | OpenDirectory;

/** What is open, by handle. A handle is used again after its release, the smallest free one last. */
export class OpenFiles {
  readonly #open: (Open | undefined)[] = [undefined];
  readonly #free: number[] = [];

  add(open: Open): number {
    const handle = this.#free.pop() ?? this.#open.length;
    this.#open[handle] = open;
    return handle;
  }

  find(handle: number): Open | undefined {
    return this.#open[handle];
  }

  release(handle: number): void {
    if (!this.#open[handle]) return;
    this.#open[handle] = undefined;
    this.#free.push(handle);
  }

  get count(): number {
    return this.#open.length - 1 - this.#free.length;
  }
}
