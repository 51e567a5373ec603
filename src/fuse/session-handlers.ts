import { pageBytes } from "../sysfs/tree.ts";
import { edgeErrno, initFlag, initIn, initOut, maximumName, protocolMajor, protocolMinor, statfsOut } from "./abi.ts";
import { maximumWrite, type Session } from "./session.ts";

/**
 * The connection itself. At INIT no request timeout is asked for: it would abort everything when one write sleeps, and a `remove` of a
 * device in use may sleep for hours.
 */
const wanted =
  initFlag.atomicTruncate |
  initFlag.bigWrites |
  initFlag.autoInvalidateData |
  initFlag.parallelDirectoryOperations |
  initFlag.cacheSymlinks;
const backgroundRequests = 64;

export function handleInit({ request, reply, channel }: Session): void {
  if (request.u32(initIn.at.major) < protocolMajor) return void channel.send(reply.error(request.unique, edgeErrno.EPROTO));
  reply.clear(initOut.bytes);
  reply.u32(initOut.at.major, protocolMajor);
  reply.u32(initOut.at.minor, protocolMinor);
  // A kernel with a newer major asks again with ours.
  if (request.u32(initIn.at.major) === protocolMajor) {
    reply.u32(initOut.at.maxReadahead, request.u32(initIn.at.maxReadahead));
    reply.u32(initOut.at.flags, wanted & request.u32(initIn.at.flags));
    reply.u32(initOut.at.maxBackground, backgroundRequests | (backgroundRequests << 16));
    reply.u32(initOut.at.maxWrite, maximumWrite);
    reply.u32(initOut.at.timeGran, 1);
  }
  channel.send(reply.body(request.unique, initOut.bytes));
}

export function handleDestroy({ request, reply, channel }: Session): void {
  channel.send(reply.body(request.unique, 0));
}

export function handleNotifyReply({ request, channel }: Session): void {
  channel.woken(request.unique);
}

export function handleStatfs({ request, reply, channel }: Session): void {
  reply.clear(statfsOut.bytes);
  reply.u32(statfsOut.at.bsize, pageBytes);
  reply.u32(statfsOut.at.frsize, pageBytes);
  reply.u32(statfsOut.at.namelen, maximumName);
  channel.send(reply.body(request.unique, statfsOut.bytes));
}
