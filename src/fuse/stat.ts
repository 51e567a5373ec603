import { attr } from "./abi.ts";

/** What stat(2) says of a node. */
export interface Stat {
  readonly ino: number;
  readonly mode: number;
  readonly size: number;
  readonly nlink: number;
  /** Whole seconds since 1970, and nanoseconds. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

const blockBytes = 4096;

/** Writes a `struct fuse_attr` at `at`, whose bytes are zero. Everything belongs to root, as in sysfs. */
export function writeStat(view: DataView, at: number, stat: Stat): void {
  view.setUint32(at + attr.at.ino, stat.ino, true);
  view.setUint32(at + attr.at.size, stat.size, true);
  view.setUint32(at + attr.at.atime, stat.seconds, true);
  view.setUint32(at + attr.at.mtime, stat.seconds, true);
  view.setUint32(at + attr.at.ctime, stat.seconds, true);
  view.setUint32(at + attr.at.atimensec, stat.nanoseconds, true);
  view.setUint32(at + attr.at.mtimensec, stat.nanoseconds, true);
  view.setUint32(at + attr.at.ctimensec, stat.nanoseconds, true);
  view.setUint32(at + attr.at.mode, stat.mode, true);
  view.setUint32(at + attr.at.nlink, stat.nlink, true);
  view.setUint32(at + attr.at.blksize, blockBytes, true);
}
