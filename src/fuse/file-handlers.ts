import { readFileSync } from "node:fs";
import { errnoNumbers, fail } from "../sysfs/errno.ts";
import { pageBytes, readAttribute, writeAttribute } from "../sysfs/tree.ts";
import { Wait } from "../sysfs/wait.ts";
import {
  accessModeMask,
  interruptIn,
  openFlag,
  openIn,
  pollEvent,
  pollIn,
  pollOut,
  readIn,
  readOnlyAccess,
  releaseIn,
  writeIn,
  writeOnlyAccess,
} from "./abi.ts";
import type { OpenFile } from "./open-files.ts";
import type { Reply } from "./reply.ts";
import type { Session } from "./session.ts";

/**
 * Attributes, as fs/kernfs/file.c and fs/seq_file.c serve them: permission bits bind root too, a text is taken when reading begins
 * and again after a seek, a write is one store of at most a page whatever its offset. A read-only text of constant length goes
 * through the kernel's page cache, all else directly to us.
 */
export function handleOpen(session: Session): void {
  const { request, reply, nodes, files, channel } = session;
  const known = nodes.find(request.nodeId);
  const node = known?.node;
  if (!known || node?.kind !== "attribute") return fail("ENOENT");
  const access = request.u32(openIn.at.flags) & accessModeMask;
  const { mode } = node.attribute;
  if (access !== writeOnlyAccess && (mode & 0o444) === 0) return session.refuse(errnoNumbers.EACCES);
  if (access !== readOnlyAccess && (mode & 0o222) === 0) return session.refuse(errnoNumbers.EACCES);
  // Its name is gone for kernfs already; ours may still be held by who has it open.
  if (!session.isAttached(node)) return fail("ENOENT");
  node.attribute.open?.(node.owner);
  const isCached = access === readOnlyAccess && known.hasExactSize && node.isCacheable;
  const handle = files.add({ kind: "file", node, isCached, text: undefined, position: 0 });
  channel.send(
    reply.opened(request.unique, handle, isCached ? openFlag.keepCache | openFlag.noFlush : openFlag.directIo | openFlag.noFlush),
  );
}

export function handleRead(session: Session): void {
  const { request, files } = session;
  const file = files.find(request.u64(readIn.at.fh));
  if (file?.kind !== "file") return fail("EBADF");
  if (file.isCached) readIntoCache(session, file);
  else readDirectly(session, file, request.u64(readIn.at.offset), request.u32(readIn.at.size));
}

/** The kernel holds the page locked until the reply is there, so that waits for nothing. */
const readIntoCache = (session: Session, file: OpenFile): void => {
  const { request, reply, nodes, channel } = session;
  const { unique } = request;
  const offset = request.u64(readIn.at.offset);
  const size = request.u32(readIn.at.size);
  const operation: Operation<string> = {
    run: () => (session.isAttached(file.node) ? readAttribute(file.node) : fail("ENODEV")),
    encode(text) {
      nodes.setCached(file.node);
      return reply.text(unique, text, offset, size);
    },
  };
  channel.beginInput();
  const answer = perform(session, operation, (late) => channel.send(late));
  if (answer) channel.send(answer);
  channel.endInput(undefined);
};

const readDirectly = (session: Session, file: OpenFile, offset: number, size: number): void => {
  const { request, reply, channel } = session;
  const { unique } = request;
  const encode = (text: string): Reply => {
    file.text = text;
    file.position = offset + Math.min(size, Math.max(0, text.length - offset));
    return reply.text(unique, text, offset, size);
  };
  if (file.text !== undefined && offset !== 0 && offset === file.position) return channel.send(encode(file.text));
  const operation: Operation<string> = {
    run: () => (session.isAttached(file.node) ? readAttribute(file.node) : fail("ENODEV")),
    encode: (text) => encode(text.length > pageBytes ? text.slice(0, pageBytes) : text),
  };
  channel.beginInput();
  channel.endInput(perform(session, operation, (late) => channel.sendAtEnd(late)));
};

export function handleWrite(session: Session): void {
  const { request, reply, files, channel } = session;
  const { unique } = request;
  const file = files.find(request.u64(writeIn.at.fh));
  if (file?.kind !== "file") return fail("EBADF");
  const size = request.u32(writeIn.at.size);
  if (!request.has(writeIn.bytes + size)) return fail("EINVAL");
  const taken = Math.min(size, pageBytes);
  const data = request.text(writeIn.bytes, taken);
  const operation: Operation<void> = {
    run: () => (session.isAttached(file.node) ? writeAttribute(file.node, data) : fail("ENODEV")),
    encode: () => reply.written(unique, taken),
  };
  channel.beginInput();
  channel.endInput(perform(session, operation, (late) => channel.sendAtEnd(late)));
}

/** What the model does for a request and how its value becomes a reply. */
interface Operation<T> {
  run(): T | Wait<T>;
  encode(value: T): Reply;
}

/** The reply of an operation; none if the model waits: then `sendLate` gets it. */
const perform = <T>(session: Session, operation: Operation<T>, sendLate: (reply: Reply) => void): Reply | undefined => {
  const { request, reply, waiting } = session;
  const { unique, pid } = request;
  try {
    const result = operation.run();
    if (!(result instanceof Wait)) return operation.encode(result);
    waiting.set(unique, { pid, interrupt: (task) => result.interrupt(task) });
    result.onSettled((outcome) => {
      waiting.delete(unique);
      sendLate("error" in outcome ? reply.error(unique, session.errnoOf(outcome.error)) : operation.encode(outcome.value));
    });
    return undefined;
  } catch (error) {
    return reply.error(unique, session.errnoOf(error));
  }
};

/** A signal came to who waits. What it does is the model's business; an answered request is not looked for. */
export function handleInterrupt({ request, waiting, channel }: Session): void {
  const waiter = waiting.get(request.u64(interruptIn.at.unique));
  if (!waiter) return;
  channel.beginInput();
  try {
    waiter.interrupt({ pid: waiter.pid, command: commandOf(waiter.pid) });
  } catch (error) {
    channel.fault(error);
  }
  channel.endInput(undefined);
}

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, "latin1").trimEnd();
  } catch {
    return "unknown";
  }
};

/** As kernfs without sysfs_notify: readable and writable; not read since it was opened counts as a change. */
export function handlePoll({ request, reply, files, channel }: Session): void {
  const file = files.find(request.u64(pollIn.at.fh));
  const ready = pollEvent.in | pollEvent.out | pollEvent.readNormal | pollEvent.writeNormal;
  const isUnread = file?.kind === "file" && !file.isCached && file.text === undefined;
  reply.clear(pollOut.bytes).u32(pollOut.at.revents, isUnread ? ready | pollEvent.error | pollEvent.priority : ready);
  channel.send(reply.body(request.unique, pollOut.bytes));
}

export function handleRelease({ request, reply, files, channel }: Session): void {
  files.release(request.u64(releaseIn.at.fh));
  channel.send(reply.body(request.unique, 0));
}

/** What every request that still waits is told when the server ends. */
export function abandonWaiting({ waiting, reply, channel }: Session): void {
  for (const unique of waiting.keys()) channel.send(reply.error(unique, errnoNumbers.ENODEV));
  waiting.clear();
}
