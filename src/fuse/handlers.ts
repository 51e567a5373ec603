import { errnoNumbers } from "../sysfs/errno.ts";
import * as abi from "./abi.ts";
import { handleOpenDirectory, handleReadDirectory, handleReleaseDirectory } from "./directory-handlers.ts";
import { handleInterrupt, handleOpen, handlePoll, handleRead, handleRelease, handleWrite } from "./file-handlers.ts";
import {
  handleBatchForget,
  handleForget,
  handleGetAttributes,
  handleLookup,
  handleReadLink,
  handleSetAttributes,
} from "./node-handlers.ts";
import type { Session } from "./session.ts";
import { handleDestroy, handleInit, handleNotifyReply, handleStatfs } from "./session-handlers.ts";

/** What answers a request, given that its body has at least `bodyBytes`. What is not in the table is answered with ENOSYS. */
interface Handler {
  readonly bodyBytes: number;
  /** FORGET and its like are never answered. */
  readonly hasReply: boolean;
  handle(session: Session): void;
}

const answer = (bodyBytes: number, handle: (session: Session) => void): Handler => ({ bodyBytes, hasReply: true, handle });
const take = (bodyBytes: number, handle: (session: Session) => void): Handler => ({ bodyBytes, hasReply: false, handle });
/** As sysfs refuses it: nothing is made, renamed or removed by hand. */
const refuse = (errno: number): Handler => answer(0, (session) => session.refuse(errno));

const { opcode } = abi;

/** Answers the request that is in the first `length` bytes of the session's request buffer. Never throws. */
export function dispatch(session: Session, length: number): void {
  const { request, reply, channel } = session;
  if (!request.accept(length)) return;
  const handler = handlers[request.opcode];
  if (!handler) return session.refuse(errnoNumbers.ENOSYS);
  if (!request.has(handler.bodyBytes)) {
    if (handler.hasReply) session.refuse(errnoNumbers.EINVAL);
    return;
  }
  try {
    handler.handle(session);
  } catch (error) {
    channel.send(reply.error(request.unique, session.errnoOf(error)));
  }
}

/** By opcode. */
const handlers: readonly (Handler | undefined)[] = Object.entries({
  [opcode.lookup]: answer(1, handleLookup),
  [opcode.forget]: take(abi.forgetIn.bytes, handleForget),
  [opcode.getattr]: answer(0, handleGetAttributes),
  [opcode.setattr]: answer(abi.setattrIn.bytes, handleSetAttributes),
  [opcode.readlink]: answer(0, handleReadLink),
  [opcode.symlink]: refuse(errnoNumbers.EPERM),
  [opcode.mknod]: refuse(errnoNumbers.EPERM),
  [opcode.mkdir]: refuse(errnoNumbers.EPERM),
  [opcode.unlink]: refuse(errnoNumbers.EPERM),
  [opcode.rmdir]: refuse(errnoNumbers.EPERM),
  [opcode.rename]: refuse(errnoNumbers.EPERM),
  [opcode.rename2]: refuse(errnoNumbers.EPERM),
  [opcode.link]: refuse(errnoNumbers.EPERM),
  [opcode.open]: answer(abi.openIn.bytes, handleOpen),
  [opcode.read]: answer(abi.readIn.bytes, handleRead),
  [opcode.write]: answer(abi.writeIn.bytes, handleWrite),
  [opcode.statfs]: answer(0, handleStatfs),
  [opcode.release]: answer(abi.releaseIn.bytes, handleRelease),
  [opcode.fsync]: refuse(errnoNumbers.EINVAL),
  [opcode.init]: answer(abi.initIn.bytes, handleInit),
  [opcode.opendir]: answer(0, handleOpenDirectory),
  [opcode.readdir]: answer(abi.readIn.bytes, handleReadDirectory),
  [opcode.releasedir]: answer(abi.releaseIn.bytes, handleReleaseDirectory),
  [opcode.fsyncdir]: refuse(errnoNumbers.EINVAL),
  [opcode.create]: refuse(errnoNumbers.EACCES),
  [opcode.interrupt]: take(abi.interruptIn.bytes, handleInterrupt),
  [opcode.destroy]: answer(0, handleDestroy),
  [opcode.ioctl]: refuse(abi.edgeErrno.ENOTTY),
  [opcode.poll]: answer(abi.pollIn.bytes, handlePoll),
  [opcode.notifyReply]: take(0, handleNotifyReply),
  [opcode.batchForget]: take(abi.batchForgetIn.bytes, handleBatchForget),
}).reduce<(Handler | undefined)[]>((table, [code, handler]) => {
  table[Number(code)] = handler;
  return table;
}, new Array(64).fill(undefined));
