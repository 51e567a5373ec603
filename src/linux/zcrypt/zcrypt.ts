import { Mask } from "../../ap/mask.ts";
import type { ApBus } from "../bus/ap-bus.ts";
import type { Job } from "../time/work-queue.ts";
import type { Permissions } from "./choose-queue.ts";
import type { RsaRequest } from "./messages/rsa-request.ts";
import { type CprbRequest, cprbOperation } from "./operations/cprb-operation.ts";
import { type Ep11Request, ep11Operation } from "./operations/ep11-operation.ts";
import { randomOperation } from "./operations/random-operation.ts";
import { rsaOperation } from "./operations/rsa-operation.ts";
import type { CprbResult } from "./replies/type86-reply.ts";
import { RequestTrack } from "./request-track.ts";
import { sendRequest } from "./send-request.ts";
import type { ZcryptCard } from "./zcrypt-devices.ts";

/**
 * The requests that programs send to cards through zcrypt's device nodes, and its own: what the ioctls of /dev/z90crypt do. Each is a job
 * that sleeps until the reply is there and throws the errno of the ioctl; ENODEV: no card that could do it.
 * Source: Linux drivers/s390/crypto/zcrypt_api.c.
 */
export interface RequestContext {
  /** Of the device node; everything, unless given. */
  readonly permissions?: Permissions;
  readonly track?: RequestTrack;
}

export class Zcrypt {
  /** In the order they came to their drivers. */
  readonly cards: ZcryptCard[] = [];

  constructor(readonly bus: ApBus) {}

  /** ICARSAMODEXPO and ICARSACRT. */
  *rsa(request: RsaRequest, context?: RequestContext): Job<Uint8Array> {
    return yield* this.#send(rsaOperation(request), context);
  }

  /** What feeds /dev/hwrng. */
  *random(context?: RequestContext): Job<Uint8Array> {
    return yield* this.#send(randomOperation, context);
  }

  /** ZSECSENDCPRB. */
  *sendCprb(request: CprbRequest, context?: RequestContext): Job<CprbResult> {
    const { usageDomains, controlDomains } = this.bus.configuration;
    const limits = { messageBytes: this.#mostMessageBytes, usageDomains, controlDomains };
    return yield* this.#send(cprbOperation(request, limits), context);
  }

  /** ZSENDEP11CPRB. */
  *sendEp11(request: Ep11Request, context?: RequestContext): Job<Uint8Array> {
    return yield* this.#send(ep11Operation(request, this.#mostMessageBytes), context);
  }

  #send<Result>(operation: Parameters<typeof sendRequest<Result>>[1], context: RequestContext = {}): Job<Result> {
    return sendRequest(this, operation, context.permissions ?? everything, context.track ?? new RequestTrack());
  }

  get #mostMessageBytes(): number {
    return Math.max(leastMessageBuffer, ...[...this.bus.cards.values()].map(({ maxMessageBytes }) => maxMessageBytes));
  }
}

const everything: Permissions = { adapters: Mask.all, domains: Mask.all };
const leastMessageBuffer = 12 * 1024;
