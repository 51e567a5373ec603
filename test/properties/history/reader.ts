import { Errno } from "../../../src/sysfs/errno.ts";
import type { AttributeNode, Directory, TreeNode, TreeObserver } from "../../../src/sysfs/node.ts";
import { Wait } from "../../../src/sysfs/wait.ts";
import { check } from "./check.ts";

/**
 * A client of the tree that keeps what it read, as the kernel keeps pages and entries of a mount: the text of every attribute that
 * may be cached until a notice of its change, the names in a directory as the notices change them. `read` reads everything
 * again and compares. A notice says nothing of what is below a directory that goes or comes.
 */
export type Texts = ReadonlyMap<string, string>;

export class Reader implements TreeObserver {
  readonly #texts = new Map<AttributeNode, string>();
  readonly #names = new Map<Directory, Set<string>>();

  changed(node: AttributeNode): void {
    this.#texts.delete(node);
  }

  added(directory: Directory, name: string): void {
    this.#names.get(directory)?.add(name);
  }

  removed(directory: Directory, name: string, node: TreeNode | undefined): void {
    this.#names.get(directory)?.delete(name);
    if (node?.kind === "attribute") this.#texts.delete(node);
  }

  /** Every text below `root` by path; `errno` in brackets where it cannot be read. */
  read(root: Directory): Texts {
    const all = new Map<string, string>();
    this.#readDirectory(root, "", all);
    return all;
  }

  #readDirectory(directory: Directory, path: string, all: Map<string, string>): void {
    this.#checkNames(directory, path);
    for (const name of directory.names()) {
      const node = directory.lookup(name);
      check(node !== undefined, () => `tree: ${path}/${name} is listed and cannot be looked up`);
      if (node.kind === "directory") this.#readDirectory(node, `${path}/${name}`, all);
      else if (node.kind === "link") all.set(`${path}/${name}`, `-> ${node.text}`);
      else all.set(`${path}/${name}`, this.#readAttribute(node, `${path}/${name}`));
    }
  }

  #readAttribute(node: AttributeNode, path: string): string {
    const text = textOf(node, path);
    if (!node.isCacheable) return text;
    const kept = this.#texts.get(node);
    check(kept === undefined || kept === text, () => `stale cache: ${path} was ${JSON.stringify(kept)}, is ${JSON.stringify(text)}`);
    this.#texts.set(node, text);
    return text;
  }

  #checkNames(directory: Directory, path: string): void {
    const names = [...directory.names()];
    const now = new Set(names);
    check(now.size === names.length, () => `tree: ${path} lists a name twice: ${names.sort()}`);
    const kept = this.#names.get(directory);
    this.#names.set(directory, now);
    if (!kept) return;
    for (const name of kept) check(now.has(name), () => `stale cache: ${path}/${name} went without a notice`);
    for (const name of now) check(kept.has(name), () => `stale cache: ${path}/${name} came without a notice`);
  }
}

/** Reading one sends the card a message, which counts as a request and may scan the bus. */
const askTheCard: ReadonlySet<string> = new Set(["serialnr", "mkvps", "API_ordinalnr", "FW_version", "op_modes"]);

function textOf({ attribute, owner }: AttributeNode, path: string): string {
  if (!attribute.show) return "(write only)";
  if (askTheCard.has(attribute.name)) return "(asks the card)";
  try {
    const text = attribute.show(owner);
    if (text instanceof Wait) return "(waits)";
    check(typeof text === "string" && text.length <= 4096, () => `tree: ${path} gave no text of at most a page`);
    return text;
  } catch (error) {
    if (error instanceof Errno) return `(${error.code})`;
    throw new Error(`tree: ${path} threw something else than an errno`, { cause: error });
  }
}
