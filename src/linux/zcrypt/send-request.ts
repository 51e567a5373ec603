import { Errno, fail } from "../../sysfs/errno.ts";
import { Wait } from "../../sysfs/wait.ts";
import type { ApRequest } from "../bus/queue-requests.ts";
import { Level } from "../kernel-log.ts";
import type { Job } from "../time/work-queue.ts";
import { type Choice, chooseQueue, type Permissions } from "./choose-queue.ts";
import type { Message, Operation } from "./operation.ts";
import { MalformedReply } from "./replies/malformed-reply.ts";
import type { RequestTrack } from "./request-track.ts";
import type { Zcrypt } from "./zcrypt.ts";
import type { ZcryptQueue } from "./zcrypt-devices.ts";

/**
 * A request from its choice of a queue to its result: sent again after EAGAIN, each time with a penalty on what it failed on, at most
 * ten times in all, then EIO; when no queue is left the bus looks once for new ones.
 * Source: Linux drivers/s390/crypto/zcrypt_api.c, icarsamodexpo_ioctl, zcrypt_send_cprb, zcrypt_send_ep11_cprb.
 */
export function* sendRequest<Result>(
  zcrypt: Zcrypt,
  operation: Operation<Result>,
  permissions: Permissions,
  track: RequestTrack,
): Job<Result> {
  try {
    return yield* sendUntilDone(zcrypt, operation, permissions, track);
  } catch (error) {
    if (!(error instanceof Errno) || error.code !== "ENODEV") throw error;
  }
  const scan = zcrypt.bus.forceScan();
  if (scan) yield scan;
  return yield* sendUntilDone(zcrypt, operation, permissions, track);
}

const mostFailures = 10;

function* sendUntilDone<Result>(zcrypt: Zcrypt, operation: Operation<Result>, permissions: Permissions, track: RequestTrack): Job<Result> {
  for (;;) {
    try {
      return yield* sendOnce(zcrypt, operation, permissions, track);
    } catch (error) {
      if (!(error instanceof Errno) || error.code !== "EAGAIN") throw error;
      if (operation.isAdministrative) fail("EIO");
      if (++track.failures >= mostFailures) fail("EIO");
    }
  }
}

function* sendOnce<Result>(zcrypt: Zcrypt, operation: Operation<Result>, permissions: Permissions, track: RequestTrack): Job<Result> {
  const choice = chooseQueue(zcrypt.cards, operation, permissions, track);
  if (!choice) return fail("ENODEV");
  track.lastQueue = choice.queue.queue;
  addLoad(choice, choice.weight);
  try {
    const message = operation.messageFor(choice);
    const reply = yield* exchange(choice.queue, message, track);
    return operation.resultOf(reply, choice);
  } catch (error) {
    throw error instanceof MalformedReply ? takeOffline(choice.queue, error) : error;
  } finally {
    addLoad(choice, -choice.weight);
  }
}

function addLoad({ card, queue }: Choice, weight: number): void {
  card.addLoad(weight);
  queue.addLoad(weight);
}

/** Sends the message and sleeps until its reply is there. */
function* exchange({ queue }: ZcryptQueue, { bytes, isSpecial }: Message, track: RequestTrack): Job<Uint8Array> {
  const answered = new Wait<Uint8Array>();
  const request: ApRequest = {
    message: bytes,
    isSpecial,
    settle: (outcome) => answered.complete(() => ("reply" in outcome ? outcome.reply : raise(outcome.error))),
  };
  queue.machine.send(request);
  track.cancel = () => {
    queue.machine.cancel(request);
    answered.complete(() => fail("ERESTARTSYS"));
  };
  yield answered;
  track.cancel = undefined;
  const { outcome } = answered;
  if (!outcome) throw new Error("a request went on before its reply");
  return "value" in outcome ? outcome.value : raise(outcome.error);
}

const raise = (error: unknown): never => {
  throw error;
};

/** What the request ends with: another queue may do it. */
function takeOffline(zcryptQueue: ZcryptQueue, { complaint }: MalformedReply): Errno {
  const { queue } = zcryptQueue;
  queue.apBus.log.write(Level.error, `zcrypt: Crypto dev=${queue.name} ${complaint} online=0 rc=EAGAIN`);
  zcryptQueue.setOnline(false);
  return new Errno("EAGAIN");
}
