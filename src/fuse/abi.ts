import { layout } from "./layout.ts";

/**
 * The FUSE protocol as far as this server speaks it: numbers and structures of include/uapi/linux/fuse.h, minor version 38,
 * under the kernel's names. All fields are little-endian here, as on every machine that Node runs FUSE on; no logic.
 */
export const protocolMajor = 7;
export const protocolMinor = 38;
/** FUSE_MIN_READ_BUFFER: read(2) on the device with less fails. */
export const minimumReadBuffer = 8192;
/** FUSE_NAME_MAX. */
export const maximumName = 1024;

export const opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  create: 35,
  interrupt: 36,
  destroy: 38,
  ioctl: 39,
  poll: 40,
  notifyReply: 41,
  batchForget: 42,
  rename2: 45,
} as const;

export const initFlag = {
  /** O_TRUNC arrives with OPEN instead of as a SETATTR of its own. */
  atomicTruncate: 1 << 3,
  bigWrites: 1 << 5,
  /** Attributes are asked for again before cached data is used; a directory's listing is dropped when its mtime changed. */
  autoInvalidateData: 1 << 12,
  parallelDirectoryOperations: 1 << 18,
  cacheSymlinks: 1 << 23,
} as const;

export const openFlag = { directIo: 1 << 0, keepCache: 1 << 1, cacheDirectory: 1 << 3, noFlush: 1 << 5 } as const;

export const setattrValid = { mode: 1 << 0, uid: 1 << 1, gid: 1 << 2 } as const;

/** Codes of messages that the server sends on its own, in the place of an error number. */
export const notification = { invalidateInode: 2, invalidateEntry: 3, retrieve: 5 } as const;

export const pollEvent = { in: 0x1, priority: 0x2, out: 0x4, error: 0x8, readNormal: 0x40, writeNormal: 0x100 } as const;

/** DT_* of readdir(3): the file type bits of a mode, shifted by 12. */
export const directoryEntryType = { directory: 4, attribute: 8, link: 10 } as const;

export const inHeader = layout({ len: 4, opcode: 4, unique: 8, nodeid: 8, uid: 4, gid: 4, pid: 4, extensions: 2, padding: 2 });
export const outHeader = layout({ len: 4, error: 4, unique: 8 });

export const attr = layout({
  ino: 8,
  size: 8,
  blocks: 8,
  atime: 8,
  mtime: 8,
  ctime: 8,
  atimensec: 4,
  mtimensec: 4,
  ctimensec: 4,
  mode: 4,
  nlink: 4,
  uid: 4,
  gid: 4,
  rdev: 4,
  blksize: 4,
  flags: 4,
});

export const entryOut = layout({
  nodeid: 8,
  generation: 8,
  entryValid: 8,
  attrValid: 8,
  entryValidNsec: 4,
  attrValidNsec: 4,
  attr: attr.bytes,
});
export const attrOut = layout({ attrValid: 8, attrValidNsec: 4, padding: 4, attr: attr.bytes });
export const initIn = layout({ major: 4, minor: 4, maxReadahead: 4, flags: 4 });
export const initOut = layout({
  major: 4,
  minor: 4,
  maxReadahead: 4,
  flags: 4,
  maxBackground: 2,
  congestionThreshold: 2,
  maxWrite: 4,
  timeGran: 4,
  maxPages: 2,
  mapAlignment: 2,
  flags2: 4,
  unused: 28,
});
export const forgetIn = layout({ nlookup: 8 });
export const batchForgetIn = layout({ count: 4, dummy: 4 });
export const forgetOne = layout({ nodeid: 8, nlookup: 8 });
export const setattrIn = layout({
  valid: 4,
  padding: 4,
  fh: 8,
  size: 8,
  lockOwner: 8,
  times: 36,
  mode: 4,
  unused4: 4,
  uid: 4,
  gid: 4,
  unused5: 4,
});
export const openIn = layout({ flags: 4, openFlags: 4 });
export const openOut = layout({ fh: 8, openFlags: 4, padding: 4 });
export const readIn = layout({ fh: 8, offset: 8, size: 4, readFlags: 4, lockOwner: 8, flags: 4, padding: 4 });
export const writeIn = layout({ fh: 8, offset: 8, size: 4, writeFlags: 4, lockOwner: 8, flags: 4, padding: 4 });
export const writeOut = layout({ size: 4, padding: 4 });
export const releaseIn = layout({ fh: 8, flags: 4, releaseFlags: 4, lockOwner: 8 });
export const interruptIn = layout({ unique: 8 });
export const pollIn = layout({ fh: 8, kh: 8, flags: 4, events: 4 });
export const pollOut = layout({ revents: 4, padding: 4 });
export const statfsOut = layout({
  blocks: 8,
  bfree: 8,
  bavail: 8,
  files: 8,
  ffree: 8,
  bsize: 4,
  namelen: 4,
  frsize: 4,
  padding: 4,
  spare: 24,
});
export const directoryEntry = layout({ ino: 8, off: 8, namelen: 4, type: 4 });
export const invalidateInodeOut = layout({ ino: 8, off: 8, len: 8 });
export const invalidateEntryOut = layout({ parent: 8, namelen: 4, flags: 4 });
export const retrieveOut = layout({ notifyUnique: 8, nodeid: 8, offset: 8, size: 4, padding: 4 });

/** Error numbers of the protocol's edge that no file of the tree gives. */
export const edgeErrno = { ENOTTY: 25, EPROTO: 71 } as const;

/** open(2) flags that reach the server (asm-generic). */
export const accessModeMask = 0o3;
export const readOnlyAccess = 0;
export const writeOnlyAccess = 1;
