import type { AttributeNode, Directory, TreeNode } from "../sysfs/node.ts";

/**
 * Which nodes the kernel knows by number, and how often it looked each of them up: a node stays here, and keeps its number, until the
 * kernel has forgotten every lookup. Numbers are never used twice. `node.handle` is the number, so the model's side finds
 * what to invalidate without a search.
 */
export interface KnownNode {
  readonly node: TreeNode;
  lookups: number;
  /** An attribute whose exact size the kernel was told, so that its text may be kept. */
  hasExactSize: boolean;
  /** When names last came or went, for a directory; the kernel compares it with that of the listing it holds. */
  seconds: number;
  nanoseconds: number;
}

const nanosecondsPerSecond = 1_000_000_000;

export class NodeTable {
  readonly #known = new Map<number, KnownNode>();
  /** Attributes of which the kernel may hold the text, by their directory. */
  readonly #cachedTexts = new Map<Directory, Set<AttributeNode>>();
  readonly #startSeconds: number;
  readonly #lastPermanentId: number;
  #lastId = 0;
  #changes = 0;

  /** The first nodes get the numbers from 1 on, the root's, and are never forgotten. */
  constructor(permanent: readonly TreeNode[], startSeconds = Math.floor(Date.now() / 1000)) {
    this.#startSeconds = startSeconds;
    for (const node of permanent) this.#insert(node, ++this.#lastId);
    this.#lastPermanentId = this.#lastId;
  }

  get size(): number {
    return this.#known.size;
  }

  find(nodeId: number): KnownNode | undefined {
    return this.#known.get(nodeId);
  }

  /** Counts one lookup of `node`; to be called exactly once for each entry that is sent. */
  remember(node: TreeNode): KnownNode {
    const known = this.#known.get(node.handle) ?? this.#insert(node, ++this.#lastId);
    known.lookups++;
    return known;
  }

  /** Takes `lookups` back; what the kernel does not know any more is dropped here. */
  forget(nodeId: number, lookups: number): void {
    const known = this.#known.get(nodeId);
    if (!known) return;
    known.lookups = Math.max(0, known.lookups - lookups);
    if (known.lookups > 0 || nodeId <= this.#lastPermanentId) return;
    this.#known.delete(nodeId);
    this.clearCached(known.node);
    known.node.handle = 0;
  }

  /** Notes that the kernel was given something of `node` that it may keep. */
  setCached(node: TreeNode): void {
    if (node.isCached) return;
    node.isCached = true;
    if (node.kind !== "attribute") return;
    const texts = this.#cachedTexts.get(node.parent);
    if (texts) texts.add(node);
    else this.#cachedTexts.set(node.parent, new Set([node]));
  }

  clearCached(node: TreeNode): void {
    node.isCached = false;
    if (node.kind !== "attribute") return;
    const texts = this.#cachedTexts.get(node.parent);
    if (texts?.delete(node) && texts.size === 0) this.#cachedTexts.delete(node.parent);
  }

  /** The attributes in `directory` and below it of which the kernel may hold the text. */
  cachedTexts(directory: Directory): AttributeNode[] {
    const found = [...(this.#cachedTexts.get(directory) ?? [])];
    for (const child of directory.children) if (child.kind === "directory") found.push(...this.cachedTexts(child));
    return found;
  }

  /** Gives a directory a modification time that it never had before. */
  touch(directory: Directory): void {
    const known = this.#known.get(directory.handle);
    if (!known) return;
    known.seconds = Math.floor(Date.now() / 1000);
    known.nanoseconds = ++this.#changes % nanosecondsPerSecond;
  }

  #insert(node: TreeNode, nodeId: number): KnownNode {
    const known: KnownNode = { node, lookups: 0, hasExactSize: false, seconds: this.#startSeconds, nanoseconds: 0 };
    this.#known.set(nodeId, known);
    node.handle = nodeId;
    return known;
  }
}
