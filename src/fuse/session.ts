import { Errno, errnoNumbers } from "../sysfs/errno.ts";
import { AttributeNode, type Directory, type TreeNode } from "../sysfs/node.ts";
import { pageBytes, readAttribute } from "../sysfs/tree.ts";
import type { Task } from "../sysfs/wait.ts";
import { inHeader, minimumReadBuffer, writeIn } from "./abi.ts";
import type { Channel } from "./channel.ts";
import { Invalidations } from "./invalidations.ts";
import { type KnownNode, NodeTable } from "./node-table.ts";
import { OpenFiles } from "./open-files.ts";
import { Reply } from "./reply.ts";
import { Request } from "./request.ts";
import type { Stat } from "./stat.ts";
import { wakeAttribute, wakeNodeId } from "./wake-file.ts";

/**
 * The state of one mount: what the kernel knows of the tree, what is open, who waits. A session owns the tree's observer. It is driven
 * from outside: someone puts a request into `request.bytes` and calls `dispatch`; nothing in here blocks.
 */
export const maximumWrite = 64 * 1024;
const replyCapacity = 132 * 1024;
/** What a waiting request needs besides its number: who sent it, and how a signal reaches the model. */
export interface Waiting {
  readonly pid: number;
  readonly interrupt: (task: Task) => void;
}

const fileType = { directory: 0o040000, attribute: 0o100000, link: 0o120000 } as const;

export class Session {
  readonly request = new Request(Math.max(minimumReadBuffer, maximumWrite + inHeader.bytes + writeIn.bytes));
  readonly reply = new Reply(replyCapacity);
  readonly files = new OpenFiles();
  readonly nodes: NodeTable;
  readonly invalidations: Invalidations;
  readonly wakeNode: AttributeNode;
  /** Requests that the model has not answered yet, by number. */
  readonly waiting = new Map<number, Waiting>();

  constructor(
    readonly root: Directory,
    readonly channel: Channel,
  ) {
    this.wakeNode = new AttributeNode(root, wakeAttribute, undefined);
    this.nodes = new NodeTable([root, this.wakeNode]);
    this.invalidations = new Invalidations(this.nodes);
    root.observer = this.invalidations;
  }

  /** Whether a wake-up can reach us. */
  get isWakeFileHeld(): boolean {
    return (this.nodes.find(wakeNodeId)?.lookups ?? 0) > 0;
  }

  refuse(errno: number): void {
    this.channel.send(this.reply.error(this.request.unique, errno));
  }

  /** The number that a program sees for something thrown; what is no Errno is reported and becomes EIO. */
  errnoOf(error: unknown): number {
    if (error instanceof Errno) return error.code === "ERESTARTSYS" ? errnoNumbers.EINTR : error.number;
    this.channel.fault(error);
    return errnoNumbers.EIO;
  }

  /** Whether a node that the kernel still knows is part of the tree. */
  isAttached(node: TreeNode): boolean {
    if (node === this.wakeNode) return true;
    for (let at: TreeNode = node; at !== this.root; at = at.parent) {
      if (!at.parent) return false;
      if (at.parent.lookup(at.kind === "directory" ? at.entryName : at.name) !== at) return false;
    }
    return true;
  }

  stat({ node, seconds, nanoseconds }: KnownNode): Stat {
    const ino = node.handle;
    if (node.kind === "directory") {
      return { ino, mode: fileType.directory | node.mode, size: 0, nlink: 2 + countDirectories(node), seconds, nanoseconds };
    }
    if (node.kind === "link") return { ino, mode: fileType.link | 0o777, size: node.text.length, nlink: 1, seconds, nanoseconds };
    return { ino, mode: fileType.attribute | node.attribute.mode, size: this.#sizeOf(node), nlink: 1, seconds, nanoseconds };
  }

  /** Exact where the kernel may keep the text, a page as in sysfs elsewhere. */
  #sizeOf(node: AttributeNode): number {
    if (!node.isCacheable) return pageBytes;
    const known = this.nodes.find(node.handle);
    try {
      const text = readAttribute(node);
      if (typeof text === "string" && text.length <= pageBytes) {
        if (known) known.hasExactSize = true;
        return text.length;
      }
    } catch (error) {
      if (!(error instanceof Errno)) this.channel.fault(error);
    }
    if (known) known.hasExactSize = false;
    return pageBytes;
  }
}

const countDirectories = (directory: Directory): number => {
  let count = 0;
  for (const child of directory.children) if (child.kind === "directory") count++;
  return count;
};
