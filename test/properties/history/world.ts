import { apqn, apqnName } from "../../../src/ap/apqn.ts";
import { Mask } from "../../../src/ap/mask.ts";
import { decodeStatus } from "../../../src/ap/status.ts";
import { type Guest, Host } from "../../../src/host/host.ts";
import { changeTraceHardware } from "../../../src/host/replay-target.ts";
import { ApInstructions } from "../../../src/linux/bus/instructions.ts";
import { encodeConfiguration } from "../../../src/linux/vfio-ap/migration/configuration-data.ts";
import type { AdapterRequest } from "../../../src/machine/adapter/processor.ts";
import { fullMachine } from "../../../src/machine/lpar.ts";
import { Errno } from "../../../src/sysfs/errno.ts";
import { Wait } from "../../../src/sysfs/wait.ts";
import { adapterIds, createPath, domainIds, guestCount, mdevPath, type Operation, type Setting, uuids } from "./operations.ts";

/**
 * A host, its guests and adapters that keep every message until they are told to answer, and what happened to it so far. The
 * reply to a message is the message. A message holds the number of the guest that sent it.
 */
export type Outcome = { readonly result: "done" } | { readonly result: "refused"; readonly code: string } | { readonly result: "waits" };

interface Pending {
  readonly operation: Operation;
  readonly wait: Wait<unknown>;
}

export interface Party {
  readonly number: number;
  readonly guest: Guest;
  readonly instructions: ApInstructions;
}

const neverEnough = -1;

export class World {
  readonly host: Host;
  readonly parties: readonly Party[];
  /** The machine as the host's Linux sees it. */
  readonly instructions: ApInstructions;
  /** Queues that hold what a guest put in, and which guest. */
  readonly dirty = new Map<number, number>();
  readonly resets: string[] = [];
  /** How often a queue left a guest that had put something in. */
  lossCount = 0;
  hasUsedOverrides = false;
  #pending: Pending[] = [];
  readonly #unanswered: (() => void)[] = [];
  #messages = 0;
  #isSettled = true;

  constructor(readonly setting: Setting) {
    this.host = new Host({
      name: "history",
      machine: { ...fullMachine, resetDurationMs: setting.resetDurationMs, announcesChanges: setting.announcesChanges },
      processor: (request: AdapterRequest, reply) => void this.#unanswered.push(() => reply(request.message)),
      kernel: setting.kernel,
      commandLine: "",
      isBuiltIn: setting.isBuiltIn,
    });
    this.instructions = new ApInstructions(this.host.machine);
    this.parties = Array.from({ length: guestCount }, (_, number) => {
      const guest = this.host.createVirtualMachine(String(number));
      return { number, guest, instructions: new ApInstructions(guest.vm) };
    });
    this.host.machine.observeResets((name, queue) => this.resets.push(`${name} ${apqnName(queue)}`));
    this.#prepare();
  }

  /** Nothing is under way but removals that wait for a guest: no job sleeps until a reset is over. */
  get isQuiet(): boolean {
    const maySleep = this.setting.resetDurationMs > 0 && !this.#isSettled;
    return !maySleep && this.host.queue.isIdle && this.#pending.every(({ operation }) => isBlockedByGuest(operation, this.host));
  }

  perform(operation: Operation): Outcome {
    const { host } = this;
    this.#isSettled = "settle" in operation;
    host.queue.beginSlice(this.setting.givesWay ? neverEnough : Number.POSITIVE_INFINITY);
    const outcome = this.#attempt(operation);
    if (!this.setting.givesWay) this.#work();
    for (const { operation: ended, wait } of this.#pending) {
      if (wait.outcome && "error" in wait.outcome && !(wait.outcome.error instanceof Errno)) {
        throw new Error(`${JSON.stringify(ended)} ended with something else than an errno`, { cause: wait.outcome.error });
      }
    }
    this.#pending = this.#pending.filter(({ wait }) => !wait.outcome);
    return outcome;
  }

  #attempt(operation: Operation): Outcome {
    try {
      const result = this.#act(operation);
      if (!(result instanceof Wait)) return { result: "done" };
      if (!this.setting.givesWay) this.#work();
      this.#pending.push({ operation, wait: result });
      return { result: "waits" };
    } catch (error) {
      if (error instanceof Errno) return { result: "refused", code: error.code };
      throw error;
    }
  }

  #act(operation: Operation): unknown {
    const { host } = this;
    if ("hw" in operation) return changeTraceHardware(host, operation);
    if ("write" in operation) {
      const result = host.write(operation.write, operation.data);
      if (operation.write.endsWith("driver_override")) this.hasUsedOverrides = true;
      return result;
    }
    if ("unbindFrom" in operation) return this.#unbind(operation);
    if ("open" in operation) return host.openMdev(this.parties[operation.open]!.guest, operation.mdev);
    if ("close" in operation) return host.closeMdev(this.parties[operation.close]!.guest);
    if ("module" in operation) return operation.module === "load" ? host.linux.modprobe(operation.name) : host.linux.rmmod(operation.name);
    if ("interrupt" in operation) return this.#pending[0]?.wait.interrupt({ command: "sh", pid: 1 });
    if ("settle" in operation) return host.settle();
    if ("tickMs" in operation) return host.tick(host.timers.nowMs + operation.tickMs);
    if ("step" in operation) return host.work(neverEnough);
    if ("device" in operation) return this.#migrate(operation);
    if ("answer" in operation) return this.#answer(operation.answer, operation.newestFirst);
    return this.#instruct(operation);
  }

  #migrate(operation: Extract<Operation, { device: number }>): unknown {
    const ask = (action: string, parameters: object): unknown =>
      this.host.command({ do: "guest", action, guest: this.parties[operation.device]!.guest.name, ...parameters });
    if ("state" in operation) return ask("device-state", { state: operation.state });
    if ("reads" in operation) return ask("device-read", { maxBytes: 4096 });
    const bytes = Buffer.from(this.#sentBy(operation));
    let answer: unknown;
    for (let start = 0; start < bytes.length; start += operation.pieceBytes) {
      answer = ask("device-write", { bytes: bytes.toString("base64", start, start + operation.pieceBytes) });
    }
    return answer;
  }

  /** A source whose cards are those of this host. */
  #sentBy({ adapters, domains }: Extract<Operation, { adapters: readonly number[] }>): Uint8Array {
    const queues = adapters.flatMap((adapter) =>
      domains.map((domain) => {
        const queue = apqn(adapter, domain);
        const { high, low } = this.instructions.tapq(queue);
        return { queue, high, low };
      }),
    );
    return encodeConfiguration({ controlDomains: Mask.from(domains), queues });
  }

  #unbind({ unbindFrom, own }: Extract<Operation, { unbindFrom: number }>): unknown {
    const queue = this.#ownQueue(unbindFrom, own);
    return queue === undefined ? undefined : this.host.write("/sys/bus/ap/drivers/vfio_ap/unbind", apqnName(queue));
  }

  #work(): void {
    while (this.host.queue.work(Number.POSITIVE_INFINITY));
  }

  #answer(count: number, newestFirst: boolean): void {
    for (let index = 0; index < count; index++) (newestFirst ? this.#unanswered.pop() : this.#unanswered.shift())?.();
  }

  #instruct(operation: Extract<Operation, { guest: number }>): void {
    const { guest, does } = operation;
    const { instructions, number } = this.parties[guest]!;
    const queue = "queue" in operation ? operation.queue : this.#ownQueue(guest, operation.own);
    if (queue === undefined) return;
    if (does === "nqap") {
      const status = instructions.nqap(queue, ++this.#messages, Uint8Array.of(number, 0x5e, 0xc2), false);
      if (decodeStatus(status).responseCode === 0) this.dirty.set(queue, number);
    } else if (does === "dqap") {
      const { status, reply } = instructions.dqap(queue, 4096);
      if (decodeStatus(status).responseCode !== 0) return;
      if (reply[0] !== number) throw new Error(`guest ${number} read a message of guest ${reply[0]} in ${apqnName(queue)}`);
    } else if (does === "tapq") instructions.tapq(queue);
    else if (does === "rapq") instructions.rapq(queue);
    else if (does === "zapq") instructions.zapq(queue);
    else instructions.aqic(queue, does === "aqic-on");
  }

  #ownQueue(guest: number, place: number): number | undefined {
    const { adapters, usageDomains } = this.parties[guest]!.guest.vm.masks;
    const queues = [...adapters].flatMap((adapter) => [...usageDomains].map((domain) => apqn(adapter, domain)));
    return queues[place % queues.length];
  }

  #prepare(): void {
    const { host } = this;
    const { machine, linux } = host;
    for (const [index, id] of adapterIds.entries())
      changeTraceHardware(host, { hw: "card", id, type: 12 + index, mode: index === 0 ? "accelerator" : "cca" });
    for (const id of domainIds) {
      machine.setUsageDomain(id, true);
      machine.setControlDomain(id, true);
    }
    linux.boot();
    host.settle();
    if (!this.setting.isBuiltIn) host.finish(linux.modprobe("vfio_ap"));
    if (!this.setting.isPrepared) return;
    host.write("/sys/bus/ap/apmask", "-2,-5");
    host.settle();
    for (const [index, uuid] of uuids.entries()) {
      host.writeNow(createPath, uuid);
      host.writeNow(`${mdevPath(uuid)}/assign_domain`, String(domainIds[index]));
      host.writeNow(`${mdevPath(uuid)}/assign_adapter`, "5");
      host.finish(host.openMdev(this.parties[index]!.guest, uuid));
    }
    host.settle();
  }
}

const isBlockedByGuest = (operation: Operation, { linux }: Host): boolean => {
  if (!("write" in operation)) return false;
  const uuid = uuids.find((candidate) => operation.write.includes(candidate) || operation.data.includes(candidate));
  const mdev = uuid === undefined ? undefined : linux.mdevCore.find(uuid);
  return mdev?.removal !== undefined && mdev.isInUse;
};
