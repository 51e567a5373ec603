/**
 * File operations on a tree in process, with the answers that open(2), read(2), write(2) and readdir(3) of the kernel's sysfs give
 * to root. Paths are absolute from the directory they start at.
 */
import { fail } from "./errno.ts";
import type { AttributeNode, Directory, TreeNode } from "./node.ts";
import type { Wait } from "./wait.ts";

const maxLinks = 40;
/** sysfs gives and takes at most one page. */
export const pageBytes = 4096;

export function resolve(root: Directory, path: string, followLast = true): TreeNode {
  let links = 0;
  const walk = (start: Directory, names: string[], follow: boolean): TreeNode => {
    let at: TreeNode = start;
    for (const [index, name] of names.entries()) {
      if (at.kind !== "directory") return fail("ENOTDIR");
      if (name === "" || name === ".") continue;
      const next: TreeNode | undefined = name === ".." ? (at === root ? at : at.parent) : at.lookup(name);
      if (!next) return fail("ENOENT");
      const isLast = index === names.length - 1;
      if (next.kind === "link" && (!isLast || follow)) {
        if (++links > maxLinks) return fail("EINVAL");
        at = isAttached(next.target, root) ? next.target : fail("ENOENT");
      } else at = next;
    }
    return at;
  };
  return walk(root, path.split("/"), followLast);
}

const isAttached = (directory: Directory, root: Directory): boolean => {
  for (let at: Directory = directory; at !== root; at = at.parent) {
    if (!at.parent || at.parent.lookup(at.name) !== at) return false;
  }
  return true;
};

/** The text of an attribute as one read of it from the start gives; a Wait where the kernel would sleep. */
export function readAttribute(node: AttributeNode): string | Wait<string> {
  return node.attribute.show ? node.attribute.show(node.owner) : fail("EIO");
}

/** One write(2). Returns nothing; sysfs answers with the count it took, at most a page. */
export function writeAttribute(node: AttributeNode, data: string): void | Wait<void> {
  if (data.length === 0) return;
  const taken = data.slice(0, pageBytes);
  const end = taken.indexOf("\0");
  return node.attribute.store ? node.attribute.store(node.owner, end < 0 ? taken : taken.slice(0, end), taken.length) : fail("EIO");
}

export function openAttribute(root: Directory, path: string, access: "read" | "write"): AttributeNode {
  const node = resolve(root, path);
  if (node.kind === "directory") return fail("EISDIR");
  if (node.kind === "link") return fail("ENOENT");
  if ((node.attribute.mode & (access === "read" ? 0o444 : 0o222)) === 0) return fail("EACCES");
  node.attribute.open?.(node.owner);
  return node;
}

/** `name mode[ -> target]` of every entry, sorted by byte value; the mode in octal as lstat gives it. */
export function list(root: Directory, path: string): string[] {
  const directory = resolve(root, path);
  if (directory.kind !== "directory") return fail("ENOTDIR");
  const entries: string[] = [];
  for (const name of directory.names()) {
    const entry = directory.describe(name);
    if (!entry) continue;
    if (entry.kind === "link") {
      const link = directory.lookup(name);
      if (link?.kind === "link") entries.push(`${name} 120777 -> ${link.text}`);
    } else entries.push(`${name} ${(entry.kind === "directory" ? 0o040000 | entry.mode : 0o100000 | entry.mode).toString(8)}`);
  }
  return entries.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
}
