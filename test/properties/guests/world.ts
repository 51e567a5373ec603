import { type Apqn, apqn } from "../../../src/ap/apqn.ts";
import { ResponseCode, responseCodeOf } from "../../../src/ap/status.ts";
import { runGuestCommand } from "../../../src/host/guest-commands.ts";
import { type Guest, Host } from "../../../src/host/host.ts";
import { ApInstructions } from "../../../src/linux/bus/instructions.ts";
import type { GenerationName } from "../../../src/linux/generation.ts";
import { silentProcessor } from "../../../src/machine/adapter/processor.ts";
import { adapterProfile } from "../../../src/machine/adapter-profile.ts";
import { fullMachine } from "../../../src/machine/lpar.ts";
import { Errno } from "../../../src/sysfs/errno.ts";
import { Wait } from "../../../src/sysfs/wait.ts";
import { check } from "../history/check.ts";
import { adapterIds, domainIds, type Features, guestNames, type Operation, uuids } from "./operations.ts";

const matrix = "/sys/devices/vfio_ap/matrix";
const queues: readonly Apqn[] = adapterIds.flatMap((adapter) => domainIds.map((domain) => apqn(adapter, domain)));

interface Known {
  readonly features: Features;
  /** Its bus looked since something changed that no event tells it of. */
  isFresh: boolean;
  /** What its bus showed when it was paused. */
  shownAtPause: string | undefined;
}

/** A host on a machine with three adapters and domains, two mediated devices and up to two guests; what is known of each guest besides. */
export class World {
  readonly host: Host;
  readonly known = new Map<string, Known>();
  /** How often a guest with queues was looked at, and how often one was given its queues without time going by. */
  looks = 0;
  promptLooks = 0;
  readonly #machine: ApInstructions;

  constructor(kernel: GenerationName, features: Features) {
    this.host = new Host({ name: "guests", machine: fullMachine, processor: silentProcessor, kernel, commandLine: "ap.apmask=0x0" });
    const { machine, linux } = this.host;
    for (const id of adapterIds) machine.addAdapter(id, adapterProfile(11, "cca"));
    for (const id of domainIds) {
      machine.setUsageDomain(id, true);
      machine.setControlDomain(id, true);
    }
    this.#machine = new ApInstructions(machine);
    linux.boot();
    this.host.settle();
    this.host.finish(linux.modprobe("vfio_ap"));
    this.host.settle();
    for (const [index, uuid] of uuids.entries()) {
      this.host.writeNow(`${matrix}/mdev_supported_types/vfio_ap-passthrough/create`, uuid);
      this.host.writeNow(`${matrix}/${uuid}/assign_adapter`, String(adapterIds[index]));
      for (const id of domainIds) this.host.writeNow(`${matrix}/${uuid}/assign_domain`, String(id));
    }
    for (const [index, name] of guestNames.entries()) {
      this.perform({ guest: name, does: "create", features });
      this.perform({ guest: name, does: "plug", mdev: uuids[index]! });
      this.perform({ guest: name, does: "run" });
    }
  }

  perform(operation: Operation): void {
    const before = [...this.host.guests.values()].map((guest) => ({ guest, held: heldBy(guest), running: guest.model?.isRunning }));
    try {
      const result = this.#act(operation);
      this.host.settle();
      if (result instanceof Wait && !result.outcome) throw new Error(`${JSON.stringify(operation)} does not end`);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    }
    this.host.settle();
    for (const { guest, held } of before) this.#checkReset(operation, guest, held);
    this.#note(operation);
  }

  /** Everything that must hold between two operations. */
  examine(): void {
    for (const guest of this.host.guests.values()) {
      this.#checkMasks(guest);
      this.#checkInstructions(guest);
      this.#checkPause(guest);
      const known = this.#knownOf(guest);
      const hasEvent = this.host.linux.generation.vfioIrqs === 2;
      if (hasEvent && known.isFresh && guest.model?.isRunning) {
        this.#checkDevices(guest, "at once");
        this.promptLooks++;
      }
    }
  }

  /** Lets every running guest's periodic scan come by, and looks at what it found. */
  scanAndExamine(): void {
    this.host.tick(this.host.timers.nowMs + 60_000);
    this.host.settle();
    for (const guest of this.host.guests.values()) {
      if (!guest.model?.isRunning) continue;
      this.#checkDevices(guest, "after a scan");
      this.#knownOf(guest).isFresh = true;
    }
    this.examine();
  }

  #act(operation: Operation): unknown {
    const { host } = this;
    const { machine } = host;
    if ("passMs" in operation) return host.tick(host.timers.nowMs + operation.passMs);
    if ("mask" in operation) {
      // The oldest kernel takes a queue away from a running guest without a reset, as its document warns.
      const isSafe = host.linux.generation.isDynamic || operation.mask.startsWith("-");
      return isSafe ? host.write("/sys/bus/ap/apmask", operation.mask) : undefined;
    }
    if ("mdev" in operation && "attribute" in operation)
      return host.write(`${matrix}/${operation.mdev}/${operation.attribute}`, String(operation.id));
    if ("hw" in operation) return changeHardware(machine, operation);
    const { guest, does } = operation;
    if (does === "create")
      return runGuestCommand(host, {
        do: "guest",
        action: "create",
        kind: "model",
        isIncoming: false,
        guest,
        features: operation.features,
      });
    if (does === "plug") {
      if (host.guest(guest).mdev) return undefined;
      return runGuestCommand(host, { do: "guest", action: "plug", guest, sysfsdev: `/sys/bus/mdev/devices/${operation.mdev}` });
    }
    if (does === "send") return this.#send(host.guest(guest));
    return runGuestCommand(host, { do: "guest", action: does, guest });
  }

  /** The guest puts a message into each queue it has. */
  #send({ vm }: Guest): void {
    const instructions = new ApInstructions(vm);
    if (instructions.areAvailable) for (const queue of heldBy({ vm })) instructions.nqap(queue, 1, Uint8Array.of(1, 2, 3), false);
  }

  #note(operation: Operation): void {
    for (const name of [...this.known.keys()]) if (!this.host.guests.has(name)) this.known.delete(name);
    if (!("guest" in operation) || !this.host.guests.has(operation.guest)) return;
    const { guest: name, does } = operation;
    if (does === "create" && !this.known.has(name)) {
      this.known.set(name, { features: operation.features, isFresh: false, shownAtPause: undefined });
      return;
    }
    const guest = this.host.guest(name);
    const known = this.#knownOf(guest);
    if (does === "plug" || does === "unplug") known.isFresh = false;
    if (does === "reset" && guest.model?.isRunning) known.isFresh = true;
    if (does === "pause") known.shownAtPause ??= shownBy(guest);
    if (does === "reset" || does === "run") known.shownAtPause = does === "reset" && !guest.model?.isRunning ? shownBy(guest) : undefined;
  }

  #knownOf({ name }: Guest): Known {
    const known = this.known.get(name);
    if (!known) throw new Error(`nothing is known of ${name}`);
    return known;
  }

  /** A guest that lets its device go, is reset or ends leaves nothing in its queues. */
  #checkReset(operation: Operation, guest: Guest, held: readonly Apqn[]): void {
    if (!("guest" in operation) || operation.guest !== guest.name || !["unplug", "reset", "destroy"].includes(operation.does)) return;
    for (const queue of held) {
      const { status, responseCode } = this.#machine.tapq(queue);
      const isEmpty = responseCode !== ResponseCode.normal || (status & 0x80000000) !== 0;
      check(isEmpty, () => `reset: ${operation.does} of ${guest.name} leaves a message in ${queue.toString(16)}`);
    }
  }

  /** The control block is what the mediated device's files say. */
  #checkMasks(guest: Guest): void {
    const { vm, mdev } = guest;
    const { masks } = vm;
    const name = guest.name;
    if (!mdev || !this.#knownOf(guest).features.ap) {
      check(
        masks.adapters.isEmpty && masks.usageDomains.isEmpty && masks.controlDomains.isEmpty,
        () => `masks: ${name} has no device and reaches queues`,
      );
      return;
    }
    const { isDynamic } = this.host.linux.generation;
    const text = String(this.host.read(`${matrix}/${mdev.uuid}/${isDynamic ? "guest_matrix" : "matrix"}`)).trim();
    const held = heldBy(guest).map(nameOf).join("\n");
    if (!masks.adapters.isEmpty && !masks.usageDomains.isEmpty)
      check(text === held, () => `masks: ${name} reaches ${JSON.stringify(held)}, its device shows ${JSON.stringify(text)}`);
    const control = String(this.host.read(`${matrix}/${mdev.uuid}/control_domains`));
    for (const domain of masks.controlDomains) {
      const line = `${domain.toString(16).padStart(4, "0")}\n`;
      check(control.includes(line), () => `masks: ${name} may change domain ${domain}, its device shows ${JSON.stringify(control)}`);
      if (isDynamic)
        check(this.host.machine.domains.control.has(domain), () => `masks: ${name} may change domain ${domain}, which the host may not`);
    }
  }

  /** Every queue that is not in its control block is not there for its instructions. */
  #checkInstructions(guest: Guest): void {
    const instructions = new ApInstructions(guest.vm);
    if (!this.#knownOf(guest).features.ap) {
      check(!instructions.areAvailable, () => `instructions: ${guest.name} has none and uses one`);
      return;
    }
    const held = new Set(heldBy(guest));
    for (const queue of [...queues, apqn(0, 0), apqn(255, 255)]) {
      if (held.has(queue)) continue;
      const codes = [
        instructions.tapq(queue).responseCode,
        responseCodeOf(instructions.nqap(queue, 1, Uint8Array.of(1), false)),
        responseCodeOf(instructions.dqap(queue, 16).status),
      ];
      check(
        codes.every((code) => code === ResponseCode.queueNotAvailable),
        () => `instructions: ${guest.name} gets ${codes} of ${queue.toString(16)}, which it does not have`,
      );
    }
  }

  #checkPause(guest: Guest): void {
    const { shownAtPause } = this.#knownOf(guest);
    if (shownAtPause === undefined || guest.model?.isRunning) return;
    check(shownBy(guest) === shownAtPause, () => `paused: ${guest.name} showed ${shownAtPause}, shows ${shownBy(guest)}`);
  }

  #checkDevices(guest: Guest, when: string): void {
    const expected = this.#expectedDevices(guest);
    const shown = shownBy(guest);
    check(shown === expected, () => `devices: ${guest.name} shows ${when} ${JSON.stringify(shown)}, not ${JSON.stringify(expected)}`);
    if (expected !== "") this.looks++;
  }

  /** The control block crossed with what exists, within what the guest's facilities let it see. */
  #expectedDevices(guest: Guest): string {
    const { ap, apqci, apft } = this.#knownOf(guest).features;
    if (!ap || !apft) return "";
    const { machine, linux } = this.host;
    const found = heldBy(guest).filter((queue) => {
      const [adapter, domain] = [queue >> 8, queue & 0xff];
      const state = machine.adapters.get(adapter);
      if (!state || !machine.domains.usage.has(domain)) return false;
      if (!linux.generation.knowsConfiguration && (!state.isConfigured || state.isCheckstopped)) return false;
      return apqci || (adapter < 64 && domain < 16);
    });
    const cards = new Set(found.map((queue) => `card${(queue >> 8).toString(16).padStart(2, "0")}`));
    return [...found.map(nameOf), ...cards].sort().join(" ");
  }
}

const nameOf = (queue: Apqn): string => `${(queue >> 8).toString(16).padStart(2, "0")}.${(queue & 0xff).toString(16).padStart(4, "0")}`;

function heldBy({ vm }: Pick<Guest, "vm">): Apqn[] {
  const { adapters, usageDomains } = vm.masks;
  return [...adapters].flatMap((adapter) => [...usageDomains].map((domain) => apqn(adapter, domain)));
}

function shownBy({ model }: Guest): string {
  const folder = model?.directory.lookup("bus");
  const ap = folder?.kind === "directory" ? folder.lookup("ap") : undefined;
  const devices = ap?.kind === "directory" ? ap.lookup("devices") : undefined;
  return devices?.kind === "directory" ? [...devices.names()].sort().join(" ") : "";
}

function changeHardware(machine: Host["machine"], { hw, id }: Extract<Operation, { hw: string }>): void {
  const isThere = machine.adapters.has(id);
  if (hw === "card add") return isThere ? undefined : machine.addAdapter(id, adapterProfile(11, "cca"));
  if (hw === "usage-domain add" || hw === "usage-domain remove") return machine.setUsageDomain(id, hw.endsWith("add"));
  if (hw === "control-domain add" || hw === "control-domain remove") return machine.setControlDomain(id, hw.endsWith("add"));
  if (!isThere) return undefined;
  if (hw === "card remove") return machine.removeAdapter(id);
  if (hw === "card configure" || hw === "card deconfigure") return machine.setConfigured(id, hw === "card configure");
  return machine.setCheckstop(id, hw === "checkstop");
}
