import type { AttributeNode, Directory, TreeNode, TreeObserver } from "../sysfs/node.ts";
import { Messages } from "./messages.ts";
import type { NodeTable } from "./node-table.ts";

/**
 * Turns changes of the tree into what the kernel has to drop. Only what it may hold is named: a node's number is 0 while the kernel does
 * not know it, and its `isCached` is set when the kernel was given a text, a listing or a directory's attributes and cleared
 * when that was taken back. Names that do not exist are never cached, so a new name needs nothing but its directory.
 */
export class Invalidations implements TreeObserver {
  readonly messages = new Messages();

  constructor(private readonly nodes: NodeTable) {}

  changed(node: AttributeNode): void {
    if (node.isCached) this.#drop(node);
  }

  added(directory: Directory, _name: string): void {
    this.#listingChanged(directory);
  }

  removed(directory: Directory, name: string, node: TreeNode | undefined): void {
    if (node && node.handle !== 0 && directory.handle !== 0) {
      this.messages.invalidateEntry(directory.handle, name);
      this.#dropTexts(node);
    }
    this.#listingChanged(directory);
  }

  #listingChanged(directory: Directory): void {
    if (directory.handle === 0) return;
    this.nodes.touch(directory);
    if (directory.isCached) this.#drop(directory);
  }

  /** Who still has an attribute of a removed device open reads ENODEV, not the old text. */
  #dropTexts(removed: TreeNode): void {
    if (removed.kind === "attribute") this.changed(removed);
    if (removed.kind !== "directory") return;
    for (const node of this.nodes.cachedTexts(removed)) this.#drop(node);
  }

  #drop(node: TreeNode): void {
    this.nodes.clearCached(node);
    this.messages.invalidateInode(node.handle);
  }
}
