import { fail } from "../sysfs/errno.ts";
import type { Directory } from "../sysfs/node.ts";
import { directoryEntryType, openFlag, readIn, releaseIn } from "./abi.ts";
import type { OpenDirectory } from "./open-files.ts";
import type { Session } from "./session.ts";

/**
 * Listings. The kernel keeps them; it drops one when the directory's inode is invalidated or its modification time changed,
 * which also catches a listing that was on its way when the change came.
 */
const unknownInode = 0xffff_ffff;

export function handleOpenDirectory(session: Session): void {
  const { request, reply, nodes, files, channel } = session;
  const node = nodes.find(request.nodeId)?.node ?? fail("ENOENT");
  if (node.kind !== "directory") return fail("ENOTDIR");
  const handle = files.add({ kind: "directory", node, names: [] });
  channel.send(reply.opened(request.unique, handle, openFlag.keepCache | openFlag.cacheDirectory));
}

/** An entry's offset is its place in the names that were taken when reading began, so none is lost or doubled. */
export function handleReadDirectory(session: Session): void {
  const { request, reply, nodes, files, channel } = session;
  const open = files.find(request.u64(readIn.at.fh));
  if (open?.kind !== "directory") return fail("EBADF");
  const first = request.u64(readIn.at.offset);
  const limit = request.u32(readIn.at.size);
  if (first === 0) startReading(session, open);
  nodes.setCached(open.node);
  let bytes = 0;
  for (let index = first; index < open.names.length; index++) {
    const name = open.names[index]!;
    const entry = describe(open.node, name);
    if (!entry) continue;
    const taken = reply.directoryEntry(bytes, limit, entry.ino, index + 1, name, entry.type);
    if (taken === 0) break;
    bytes += taken;
  }
  channel.send(reply.body(request.unique, bytes));
}

export function handleReleaseDirectory({ request, reply, files, channel }: Session): void {
  files.release(request.u64(releaseIn.at.fh));
  channel.send(reply.body(request.unique, 0));
}

const startReading = (session: Session, open: OpenDirectory): void => {
  open.names = session.isAttached(open.node) ? [".", "..", ...open.node.names()] : [".", ".."];
};

const describe = (directory: Directory, name: string): { ino: number; type: number } | undefined => {
  if (name === ".") return { ino: directory.handle || unknownInode, type: directoryEntryType.directory };
  if (name === "..") return { ino: directory.parent?.handle || directory.handle || unknownInode, type: directoryEntryType.directory };
  const entry = directory.describe(name);
  return entry && { ino: unknownInode, type: directoryEntryType[entry.kind] };
};
