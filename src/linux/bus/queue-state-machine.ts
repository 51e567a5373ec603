import { decodeStatus, ResponseCode } from "../../ap/status.ts";
import { Errno } from "../../sysfs/errno.ts";
import type { Timer } from "../time/timers.ts";
import type { ApQueue } from "./ap-queue.ts";
import type { PollReason } from "./queue-poller.ts";
import { type ApRequest, RequestLists } from "./queue-requests.ts";

/**
 * What the AP bus does with a queue it owns: reset it, switch its interrupt on, put messages in and take replies out.
 * Device state and machine state as in the kernel; `poll` is one event. Source: Linux drivers/s390/crypto/ap_queue.c.
 */
export const deviceStates = ["UNINITIATED", "OPERATING", "SHUTDOWN", "ERROR"] as const;
type DeviceState = (typeof deviceStates)[number];
export const machineStates = ["RESET_START", "RESET_WAIT", "SETIRQ_WAIT", "IDLE", "WORKING", "FULL", "ASSOC_WAIT"] as const;
type MachineState = (typeof machineStates)[number];

/** What goes along when a Linux moves to another place. */
export type StandingQueue = Pick<QueueStateMachine, "deviceState" | "machineState" | "lastError" | "requestCount" | "isInterruptOn">;

/** When to look at the queue again. */
type PollDelay = "never" | "again" | PollReason;

const requestTimeoutMs = 900_000;
let lastMessageId = 0;

export class QueueStateMachine {
  deviceState: DeviceState = "UNINITIATED";
  machineState: MachineState = "RESET_START";
  lastError: number = ResponseCode.normal;
  /** What this Linux believes of the queue's interrupt. */
  isInterruptOn = false;
  requestCount = 0;
  /** Its Linux was brought here and does not run yet: nothing is asked of the queue. */
  isStanding = false;
  #requests = new RequestLists();
  /** Messages in the queue itself: those of requests that were cancelled are still there. */
  #enqueued = 0;
  #requestTimer: Timer | undefined;

  constructor(readonly queue: ApQueue) {}

  get waitingCount(): number {
    return this.#requests.waiting.length;
  }

  get pendingCount(): number {
    return this.#requests.pending.size;
  }

  /** Starts over with a reset of the queue. */
  initialise(): void {
    this.deviceState = "OPERATING";
    this.#enter("RESET_START");
    this.lastError = ResponseCode.normal;
    this.run();
  }

  /** It is as it was in another place, until `resume`. */
  stand({ deviceState, machineState, lastError, requestCount, isInterruptOn }: StandingQueue): void {
    this.isStanding = true;
    this.deviceState = deviceState;
    this.machineState = machineState;
    this.lastError = lastError;
    this.requestCount = requestCount;
    this.isInterruptOn = isInterruptOn;
  }

  /** Its Linux runs, over a queue that knows nothing of it: no message is in it, and it does not interrupt. */
  resume(): void {
    this.isStanding = false;
    if (this.deviceState !== "OPERATING") return;
    this.isInterruptOn = false;
    const wasReset = this.machineState === "RESET_START" || this.machineState === "RESET_WAIT";
    if (wasReset || isBusy(this.queue.instructions.tapq(this.queue.apqn).responseCode)) return this.initialise();
    // A queue that is not there takes no interrupt: the next scan, or the next message, finds that out.
    this.#enter(this.queue.apBus.usesInterrupts && this.#enableInterrupt() ? "SETIRQ_WAIT" : "IDLE");
    this.run();
  }

  fail(responseCode: number): void {
    this.deviceState = "ERROR";
    this.lastError = responseCode;
  }

  /** Ends every request with EAGAIN. */
  flush(): void {
    this.#requestTimer?.cancel();
    for (const request of this.#requests.takeAll()) request.settle({ error: new Errno("EAGAIN") });
    this.#countsChanged();
  }

  /** Nobody waits for this request any more; its reply, if one comes, is dropped. */
  cancel(request: ApRequest): void {
    if (this.#requests.drop(request)) this.#countsChanged();
  }

  /** Its Linux ends: every request ends with EAGAIN, and no other is taken. */
  shutDown(): void {
    this.flush();
    this.deviceState = "SHUTDOWN";
  }

  /** `reset` was written: flush and start over. */
  reset(): void {
    this.flush();
    this.#enter("RESET_START");
    this.run();
  }

  /** Queues a message. ENODEV while the queue does not operate. */
  send(request: ApRequest): void {
    if (this.deviceState !== "OPERATING") throw new Errno("ENODEV");
    this.#requests.waiting.push(request);
    this.requestCount++;
    this.queue.card.requestCount++;
    this.#countsChanged();
    this.run();
  }

  /** Polls until the queue has nothing to say for the moment, and arranges for the next look. */
  run(): void {
    if (this.isStanding) return;
    let delay = this.poll();
    while (delay === "again") delay = this.poll();
    if (delay !== "never") this.queue.apBus.poller.add(this.queue, delay);
  }

  poll(): PollDelay {
    if (this.deviceState !== "OPERATING") return "never";
    switch (this.machineState) {
      case "RESET_START":
        return this.#startReset();
      case "RESET_WAIT":
        return this.#awaitReset();
      case "SETIRQ_WAIT":
        return this.#awaitInterrupt();
      case "IDLE":
      case "WORKING":
      case "FULL":
        return this.#transfer();
      case "ASSOC_WAIT":
        return "reset-poll";
    }
  }

  #startReset(): PollDelay {
    const { responseCode } = decodeStatus(this.queue.instructions.rapq(this.queue.apqn));
    if (responseCode !== ResponseCode.normal && responseCode !== ResponseCode.resetInProgress) return this.#giveUp(responseCode);
    this.#enqueued = 0;
    this.#enter("RESET_WAIT");
    return "reset-poll";
  }

  #awaitReset(): PollDelay {
    const { responseCode } = this.queue.instructions.tapq(this.queue.apqn);
    if (isBusy(responseCode)) return "reset-poll";
    if (responseCode !== ResponseCode.normal) return this.#giveUp(responseCode);
    this.#enter(this.queue.apBus.usesInterrupts && this.#enableInterrupt() ? "SETIRQ_WAIT" : this.#restingState);
    return "again";
  }

  #enableInterrupt(): boolean {
    const { responseCode } = decodeStatus(this.queue.instructions.aqic(this.queue.apqn, true));
    return responseCode === ResponseCode.normal || responseCode === ResponseCode.otherwiseChanged;
  }

  #awaitInterrupt(): PollDelay {
    const { status, responseCode } = this.queue.instructions.tapq(this.queue.apqn);
    if (decodeStatus(status).irqEnabled) {
      this.isInterruptOn = true;
      this.#enter(this.#restingState);
    }
    if (responseCode !== ResponseCode.normal) return this.#giveUp(responseCode);
    return this.machineState === "SETIRQ_WAIT" ? "reset-poll" : "again";
  }

  get #restingState(): MachineState {
    return this.#enqueued > 0 ? "WORKING" : "IDLE";
  }

  /** Takes replies, then puts messages in, as far as the queue lets. */
  #transfer(): PollDelay {
    const received = this.#receive();
    if (received !== undefined) return received;
    return this.#transmit();
  }

  #receive(): PollDelay | undefined {
    const { queue } = this;
    while (this.#enqueued > 0) {
      const { status, id, reply } = queue.instructions.dqap(queue.apqn, queue.card.maxMessageBytes);
      const { responseCode, queueEmpty } = decodeStatus(status);
      if (responseCode === ResponseCode.noPendingReply) {
        if (queueEmpty) this.#sendAgain();
        break;
      }
      if (responseCode !== ResponseCode.normal) return this.#giveUp(responseCode);
      this.#enqueued--;
      const request = this.#requests.pending.get(id);
      this.#requests.pending.delete(id);
      this.#countsChanged();
      if (this.#enqueued > 0) this.#enter("WORKING");
      request?.settle({ reply });
    }
    if (this.#enqueued === 0) {
      this.#requestTimer?.cancel();
      this.#enter("IDLE");
    }
    return undefined;
  }

  /** The adapter forgot what it was sent: somebody else has reset the queue. */
  #sendAgain(): void {
    this.#enqueued = 0;
    this.#requests.waitAgain();
    this.#countsChanged();
  }

  #transmit(): PollDelay {
    const { queue } = this;
    while (this.#requests.waiting.length > 0 && this.#enqueued < queue.card.depth) {
      const request = this.#requests.waiting[0]!;
      const id = ++lastMessageId;
      const { responseCode } = decodeStatus(queue.instructions.nqap(queue.apqn, id, request.message, request.isSpecial));
      if (responseCode === ResponseCode.queueFull) {
        this.#enter("FULL");
        return "reply-poll";
      }
      if (responseCode === ResponseCode.resetInProgress) {
        this.#enter("RESET_WAIT");
        return "reset-poll";
      }
      this.#requests.waiting.shift();
      this.#countsChanged();
      if (isRefusal(responseCode)) {
        request.settle({ error: new Errno("EINVAL") });
        continue;
      }
      if (responseCode !== ResponseCode.normal) {
        request.settle({ error: new Errno("EAGAIN") });
        return this.#giveUp(responseCode);
      }
      this.#requests.pending.set(id, request);
      this.#enqueued++;
      this.#enter(this.#enqueued < queue.card.depth ? "WORKING" : "FULL");
      this.#armRequestTimer();
    }
    if (this.#enqueued === 0) return "never";
    return this.isInterruptOn ? "never" : "reply-poll";
  }

  #armRequestTimer(): void {
    this.#requestTimer?.cancel();
    this.#requestTimer = this.queue.apBus.timers.after(requestTimeoutMs, () => this.reset(), { isBackground: true });
  }

  #giveUp(responseCode: number): PollDelay {
    this.fail(responseCode);
    return "never";
  }

  #enter(state: MachineState): void {
    if (state === this.machineState) return;
    this.machineState = state;
    this.queue.changed("reset");
    this.queue.changed("interrupt");
  }

  #countsChanged(): void {
    this.queue.changed("request_count");
    this.queue.changed("requestq_count");
    this.queue.changed("pendingq_count");
    this.queue.card.countsChanged();
  }
}

const isBusy = (responseCode: number): boolean => responseCode === ResponseCode.busy || responseCode === ResponseCode.resetInProgress;

const isRefusal = (responseCode: number): boolean =>
  responseCode === ResponseCode.messageTooBig ||
  responseCode === ResponseCode.facilityNotInstalled ||
  responseCode === ResponseCode.invalidDomain;
