import { errnoNumbers, fail } from "../sysfs/errno.ts";
import { batchForgetIn, forgetIn, forgetOne, setattrIn, setattrValid } from "./abi.ts";
import type { KnownNode } from "./node-table.ts";
import type { Session } from "./session.ts";
import { wakeFileName } from "./wake-file.ts";

/** Names, attributes and links: asked of the tree, changing nothing, answered at once. */
export function handleLookup(session: Session): void {
  const { request, reply, nodes, channel } = session;
  const directory = knownNode(session).node;
  if (directory.kind !== "directory") return fail("ENOTDIR");
  const name = request.name() ?? fail("EINVAL");
  const isWakeFile = directory === session.root && name === wakeFileName;
  if (!isWakeFile && !session.isAttached(directory)) return fail("ENOENT");
  const node = isWakeFile ? session.wakeNode : directory.lookup(name);
  if (!node) return session.refuse(errnoNumbers.ENOENT);
  const known = nodes.remember(node);
  if (node.kind === "directory") nodes.setCached(node);
  channel.send(reply.entry(request.unique, node.handle, session.stat(known)));
}

export function handleForget({ request, nodes }: Session): void {
  nodes.forget(request.nodeId, request.u64(forgetIn.at.nlookup));
}

export function handleBatchForget({ request, nodes }: Session): void {
  const count = request.u32(batchForgetIn.at.count);
  for (let index = 0, at = batchForgetIn.bytes; index < count && request.has(at + forgetOne.bytes); index++, at += forgetOne.bytes) {
    nodes.forget(request.u64(at + forgetOne.at.nodeid), request.u64(at + forgetOne.at.nlookup));
  }
}

export function handleGetAttributes(session: Session): void {
  const { request, reply, nodes, channel } = session;
  const known = knownNode(session);
  if (known.node.kind === "directory") nodes.setCached(known.node);
  channel.send(reply.attributes(request.unique, session.stat(known)));
}

/** Truncation and times are taken and change nothing; owner and permissions cannot be changed. */
export function handleSetAttributes(session: Session): void {
  const owner = setattrValid.mode | setattrValid.uid | setattrValid.gid;
  if (session.request.u32(setattrIn.at.valid) & owner) return fail("EPERM");
  handleGetAttributes(session);
}

export function handleReadLink(session: Session): void {
  const { request, reply, channel } = session;
  const { node } = knownNode(session);
  if (node.kind !== "link") return fail("EINVAL");
  channel.send(reply.text(request.unique, node.text, 0, node.text.length));
}

const knownNode = ({ nodes, request }: Session): KnownNode => nodes.find(request.nodeId) ?? fail("ENOENT");
