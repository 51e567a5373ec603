import * as v from "valibot";
import { apqnName } from "../ap/apqn.ts";
import { Mask } from "../ap/mask.ts";
import type { ApQueue } from "../linux/bus/ap-queue.ts";
import type { Linux } from "../linux/linux.ts";
import type { Job } from "../linux/time/work-queue.ts";
import type { Permissions } from "../linux/zcrypt/choose-queue.ts";
import { RequestTrack } from "../linux/zcrypt/request-track.ts";
import type { RequestContext } from "../linux/zcrypt/zcrypt.ts";
import type { Wait } from "../sysfs/wait.ts";
import { Refusal } from "./control-protocol.ts";
import type { Host } from "./host.ts";

/**
 * A program's requests to the cards of one Linux, as it would send them by ioctls of /dev/z90crypt; with a queue, of a device node that
 * lets nothing but that queue through. Refusals are Errno, or sentences where the queue cannot be meant.
 */
const mostModulusBytes = 512;
/** A part of a key or a value, in hexadecimal digits. */
const hex = v.pipe(v.string(), v.maxLength(2 * mostModulusBytes), v.regex(/^([0-9a-f]{2})*$/));
const target = { do: v.literal("crypto"), guest: v.optional(v.string()), queue: v.optional(v.pipe(v.string(), v.maxLength(20))) };

export const cryptoCommand = v.variant("action", [
  v.object({ ...target, action: v.literal("power"), input: hex, exponent: hex, modulus: hex }),
  v.object({ ...target, action: v.literal("crt"), input: hex, p: hex, q: hex, dp: hex, dq: hex, u: hex }),
  v.object({ ...target, action: v.literal("random") }),
  v.object({ ...target, action: v.literal("cards") }),
]);

export type CryptoCommand = v.InferOutput<typeof cryptoCommand>;

/** Result of a request, and where it came from. */
export interface CryptoAnswer {
  readonly output: string;
  readonly queue: string | undefined;
  /** How often it had to be sent again. */
  readonly retries: number;
}

export interface CryptoCard {
  readonly name: string;
  readonly type: string;
  readonly mode: string;
  readonly isOnline: boolean;
  readonly load: number;
  readonly requests: number;
  readonly queues: readonly CryptoQueue[];
}

export interface CryptoQueue {
  readonly name: string;
  /** Requests go to it. */
  readonly isUsable: boolean;
  readonly load: number;
  readonly requests: number;
  readonly pending: number;
}

export function runCryptoCommand(host: Host, linux: Linux, command: CryptoCommand): unknown | Wait<unknown> {
  const permissions = command.queue === undefined ? undefined : queuePermissions(host, linux, command.queue);
  if (command.action === "cards") return cardsOf(linux, permissions);
  refusePaused(host, command.guest);
  const track = new RequestTrack();
  const job = requestJob(linux, command, { track, ...(permissions && { permissions }) });
  return linux.work.run(answerJob(job, track));
}

function requestJob({ zcrypt }: Linux, command: Exclude<CryptoCommand, { action: "cards" }>, context: RequestContext): Job<Uint8Array> {
  if (command.action === "random") return zcrypt.random(context);
  const { input } = command;
  if (command.action === "power") {
    const { exponent, modulus } = command;
    return zcrypt.rsa({ input: bytesOf(input), exponent: bytesOf(exponent), modulus: bytesOf(modulus) }, context);
  }
  const { p, q, dp, dq, u } = command;
  const parts = { p: bytesOf(p), q: bytesOf(q), dp: bytesOf(dp), dq: bytesOf(dq), u: bytesOf(u) };
  return zcrypt.rsa({ input: bytesOf(input), ...parts }, context);
}

const bytesOf = (digits: string): Uint8Array => Buffer.from(digits, "hex");

function* answerJob(request: Job<Uint8Array>, track: RequestTrack): Job<CryptoAnswer> {
  const output = yield* request;
  return { output: Buffer.from(output).toString("hex"), queue: track.lastQueue?.name, retries: track.failures };
}

/** What a guest does not run, it does not answer. */
function refusePaused(host: Host, name: string | undefined): void {
  if (name !== undefined && host.guests.get(name)?.model?.isRunning === false) {
    throw new Refusal(`guest ${name} is paused: its programs run when it does`);
  }
}

function queuePermissions(host: Host, linux: Linux, name: string): Permissions {
  const queue = [...linux.bus.queues.values()].find((candidate) => candidate.name === name.toLowerCase());
  if (!queue) {
    const names = [...linux.bus.queues.keys()].sort((left, right) => left - right).map(apqnName);
    throw new Refusal(`no queue ${name}; there are: ${names.slice(0, 20).join(", ") || "none"}${names.length > 20 ? ", …" : ""}`);
  }
  refuseForeign(host, queue);
  return { adapters: Mask.of(queue.adapter), domains: Mask.of(queue.domain) };
}

/** A queue that the host's own drivers do not have. */
function refuseForeign(host: Host, queue: ApQueue): void {
  const { driver, name } = queue;
  if (!driver) throw new Refusal(`queue ${name} has no driver`);
  if (driver.name !== "vfio_ap") return;
  const guest = [...host.guests.values()].find(
    ({ vm: { masks } }) => masks.adapters.has(queue.adapter) && masks.usageDomains.has(queue.domain),
  );
  const owner = guest ? `guest ${guest.name} uses it` : "it waits for a guest";
  throw new Refusal(`queue ${name} is vfio_ap's, not the host's: ${owner}${guest ? `; --guest ${guest.name} asks there` : ""}`);
}

function cardsOf({ zcrypt }: Linux, permissions: Permissions | undefined): CryptoCard[] {
  const isMeant = (queue: ApQueue): boolean =>
    !permissions || (permissions.adapters.has(queue.adapter) && permissions.domains.has(queue.domain));
  return zcrypt.cards
    .filter(({ card }) => !permissions || permissions.adapters.has(card.id))
    .map(({ card, typeName, mode, isUsable, load, queues }) => ({
      name: card.name,
      type: typeName,
      mode,
      isOnline: isUsable,
      load,
      requests: card.requestCount,
      queues: queues
        .filter(({ queue }) => isMeant(queue))
        .map(({ queue, takesRequests, load: queueLoad }) => ({
          name: queue.name,
          isUsable: takesRequests,
          load: queueLoad,
          requests: queue.machine.requestCount,
          pending: queue.machine.pendingCount,
        })),
    }));
}
