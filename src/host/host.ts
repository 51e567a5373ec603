import { ModelGuest } from "../guest/model/model-guest.ts";
import { allGuestFacilities, type GuestFacilities, VirtualMachine } from "../kvm/virtual-machine.ts";
import { Linux } from "../linux/linux.ts";
import { Timers } from "../linux/time/timers.ts";
import { type CurrentInput, type Job, WorkQueue } from "../linux/time/work-queue.ts";
import type { MatrixMdev } from "../linux/vfio-ap/matrix-mdev.ts";
import type { DestinationFile } from "../linux/vfio-ap/migration/destination-file.ts";
import type { SourceFile } from "../linux/vfio-ap/migration/source-file.ts";
import type { AsymmetricEngine } from "../machine/adapter/asymmetric/asymmetric-task.ts";
import { computingProcessor } from "../machine/adapter/computing-processor.ts";
import type { AdapterProcessor } from "../machine/adapter/processor.ts";
import type { MachineProfile } from "../machine/lpar.ts";
import { Machine } from "../machine/machine.ts";
import { type DomainKeys, KeyStore } from "../machine/secrets/key-store.ts";
import type { Model, ModelEvent } from "../runtime/model.ts";
import { fail } from "../sysfs/errno.ts";
import { Directory } from "../sysfs/node.ts";
import { list, openAttribute, readAttribute, writeAttribute } from "../sysfs/tree.ts";
import { Wait } from "../sysfs/wait.ts";
import { belowSys } from "./below-sys.ts";
import { runCommand } from "./commands.ts";
import type { HostConfiguration } from "./configuration.ts";
import { domainSecrets } from "./domain-secrets.ts";

/**
 * One LPAR put together: the machine, the Linux on it, its virtual machines. This is all that the model thread owns; everything from
 * outside comes in as a file operation on `root` or as a command.
 */
export interface HostOptions {
  readonly name: string;
  readonly machine: MachineProfile;
  /** The machine's name, such as z16, that a guest's host model follows. */
  readonly model?: string;
  /** What adapters do with messages; what their mode says, unless given. */
  readonly processor?: AdapterProcessor;
  /** Does the long work of adapters; at once, unless given. */
  readonly engine?: AsymmetricEngine;
  /** Master keys that domains have from before. */
  readonly keys?: readonly DomainKeys[];
  readonly kernel: HostConfiguration["kernel"];
  readonly commandLine: string;
  readonly isBuiltIn?: boolean;
  readonly knownTexts?: ReadonlyMap<string, string>;
  readonly emit?: (event: ModelEvent) => unknown;
}

export interface Guest {
  readonly name: string;
  readonly vm: VirtualMachine;
  /** Its Linux: one of ours, or one on processors elsewhere; `none` only holds a mediated device. */
  readonly kind: "model" | "real" | "none";
  readonly model: ModelGuest | undefined;
  mdev: MatrixMdev | undefined;
  /** The data file that the last change of the device's migration state gave. */
  deviceData?: SourceFile | DestinationFile | undefined;
  isRunning: boolean;
}

/** The event that carries all master keys of a domain; for who keeps them alone. */
export const secretsEvent = "secrets";

export class Host implements Model {
  readonly root = new Directory("mount");
  readonly name: string;
  readonly model: string;
  readonly timers = new Timers();
  readonly #input: CurrentInput = { number: 0 };
  readonly queue = new WorkQueue(this.#input);
  readonly machine: Machine;
  /** The master keys of the adapters' domains. */
  readonly keys: KeyStore;
  readonly linux: Linux;
  /** By name; numbered virtual machines of a trace are named by their number. */
  readonly guests = new Map<string, Guest>();
  /** What lets go of each hold of a migration, by its number. */
  readonly migrationHolds = new Map<number, () => void>();
  readonly #guestFolders = new Directory("guests");
  readonly #emit: (event: ModelEvent) => unknown;

  constructor(options: HostOptions) {
    const emit = options.emit ?? (() => {});
    this.#emit = emit;
    this.name = options.name;
    this.model = options.model ?? "z16";
    this.keys = new KeyStore(options.keys);
    this.keys.observe((domain) => emit({ type: secretsEvent, domain: domainSecrets(domain) }));
    const engine = options.engine && { engine: options.engine };
    const processor = options.processor ?? computingProcessor({ keys: this.keys, machineName: options.name, ...engine });
    this.machine = new Machine(options.machine, () => this.timers.nowMs, processor);
    this.linux = new Linux({
      platform: this.machine,
      kernel: options.kernel,
      commandLine: options.commandLine,
      timers: this.timers,
      work: this.queue,
      isBuiltIn: options.isBuiltIn ?? false,
      ...(options.knownTexts && { knownTexts: options.knownTexts }),
      onLog: (line) => emit({ type: "log", ...line }),
      onUevent: (event) => emit({ type: "uevent", ...event }),
    });
    this.keys.isHeld = (adapter, domain) => this.linux.bus.holds.refusesKeys(adapter, domain);
    this.root.addDirectory(this.linux.root, "host");
    this.root.addDirectory(this.linux.dev);
    this.root.addDirectory(this.#guestFolders);
  }

  // Model.

  get nextTimerMs(): number | undefined {
    let first = this.timers.nextDueMs ?? Number.POSITIVE_INFINITY;
    for (const { model } of this.guests.values()) first = Math.min(first, model?.nextTimerMs ?? first);
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  /** In order of time, whoever's timer it is. */
  tick(nowMs: number): void {
    for (let due = this.nextTimerMs; due !== undefined && due < nowMs; due = this.nextTimerMs) this.#advanceTo(due);
    this.#advanceTo(nowMs);
  }

  #advanceTo(nowMs: number): void {
    this.timers.advanceTo(nowMs);
    for (const { model } of this.guests.values()) model?.tick();
  }

  beginInput(input: number): void {
    this.#input.number = input;
  }

  work(budgetMs: number): boolean {
    let isLeft = this.queue.work(budgetMs);
    for (const { model } of this.guests.values()) isLeft = (model?.work(budgetMs) ?? false) || isLeft;
    return isLeft || !this.queue.isIdle;
  }

  hasWorkOf(input: number): boolean {
    return this.queue.hasWorkOf(input) || [...this.guests.values()].some(({ model }) => model?.hasWorkOf(input));
  }

  command(request: unknown): unknown | Wait<unknown> {
    return runCommand(this, request);
  }

  // In process.

  read(path: string, linux = this.linux): string | Wait<string> {
    return readAttribute(openAttribute(linux.root, belowSys(path), "read"));
  }

  write(path: string, data: string, linux = this.linux): void | Wait<void> {
    return writeAttribute(openAttribute(linux.root, belowSys(path), "write"), data);
  }

  list(path: string, linux = this.linux): string[] {
    return list(linux.root, belowSys(path));
  }

  /** Runs until nothing is to do: queued work, and every timer but the periodic ones. */
  settle(): void {
    do while (this.work(Number.POSITIVE_INFINITY));
    while (this.timers.fireNextForeground() || [...this.guests.values()].some(({ model }) => model?.fireNextForeground()));
  }

  /** Runs a write to its end; throws its Errno. For the start of a host, when nothing can block. */
  writeNow(path: string, data: string): void {
    this.finish(this.write(path, data));
  }

  /** Runs what does not sleep to its end. EBUSY if it would sleep. */
  finish<T>(result: T | Wait<T>): T {
    if (!(result instanceof Wait)) return result;
    while (!result.outcome && this.queue.work(Number.POSITIVE_INFINITY));
    this.queue.work(Number.POSITIVE_INFINITY);
    const { outcome } = result;
    if (!outcome) return fail("EBUSY");
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  // Virtual machines.

  /** ENOENT. */
  guest(name: string): Guest {
    return this.guests.get(name) ?? fail("ENOENT");
  }

  /** A virtual machine without a Linux. EEXIST. */
  createVirtualMachine(name: string): Guest {
    return this.#addGuest({
      name,
      kind: "none",
      vm: new VirtualMachine(this.machine, allGuestFacilities),
      model: undefined,
      mdev: undefined,
      isRunning: false,
    });
  }

  /** A guest whose Linux runs elsewhere; here is what its AP instructions act on. EEXIST. */
  createRealGuest(name: string, facilities: GuestFacilities): Guest {
    const vm = new VirtualMachine(this.machine, facilities);
    const guest = this.#addGuest({ name, kind: "real", vm, model: undefined, mdev: undefined, isRunning: false });
    this.#emit({ type: "guest", guest: name, event: "created" });
    return guest;
  }

  /** A guest with the Linux of the host's generation, not yet booted, or to be restored, and a /sys of its own. EEXIST. */
  createGuest(name: string, facilities: GuestFacilities, { isIncoming = false } = {}): Guest {
    if (this.guests.has(name)) fail("EEXIST");
    const model = new ModelGuest({
      platform: this.machine,
      facilities,
      kernel: this.linux.generation.name,
      nowMs: () => this.timers.nowMs,
      input: this.#input,
      isIncoming,
      onLog: (line) => this.#emit({ type: "log", guest: name, ...line }),
      onUevent: (event) => this.#emit({ type: "uevent", guest: name, ...event }),
      onBoot: () => this.#emit({ type: "guest", guest: name, event: "booted" }),
      onRestore: (clockMs) => this.#emit({ type: "guest", guest: name, event: "restored", clockMs }),
    });
    this.#emit({ type: "guest", guest: name, event: "created" });
    this.#guestFolders.addDirectory(model.directory, name);
    return this.#addGuest({ name, kind: "model", vm: model.vm, model, mdev: undefined, isRunning: false });
  }

  #addGuest(guest: Guest): Guest {
    if (this.guests.has(guest.name)) fail("EEXIST");
    this.guests.set(guest.name, guest);
    return guest;
  }

  /** The guest lets its mediated device go and is no more. */
  destroyGuest(guest: Guest): void | Wait<void> {
    const host = this;
    guest.model?.powerOff();
    return this.queue.run(
      (function* (): Job<void> {
        yield* host.#close(guest);
        host.guests.delete(guest.name);
        if (guest.model) host.#guestFolders.remove(guest.name);
        host.#emit({ type: "guest", guest: guest.name, event: "destroyed" });
      })(),
    );
  }

  /** The guest takes a mediated device, as QEMU's vfio-ap device does. ENOENT, EBUSY, EPERM, ENODEV. */
  openMdev(guest: Guest, uuid: string): void | Wait<void> {
    const { vfioAp } = this.linux;
    if (!vfioAp) return fail("ENOENT");
    const matrixMdev = vfioAp.matrixMdev(uuid) ?? fail("ENOENT");
    const { kind, model, vm, name } = guest;
    const irqs = kind !== "none" ? this.linux.generation.vfioIrqs : 0;
    // QEMU connects the events after the device is open.
    let isConnected = false;
    return this.queue.run(
      (function* (emit): Job<void> {
        yield* vfioAp.open(uuid, {
          vm,
          ...(irqs >= 1 && { onRequest: () => emit({ type: "guest", guest: name, event: "device-requested" }) }),
          ...(irqs === 2 && { onConfigurationChange: () => isConnected && model?.announceConfigurationChange() }),
        });
        guest.mdev = matrixMdev;
        isConnected = true;
      })(this.#emit),
    );
  }

  /** ENODEV: it has none. */
  closeMdev(guest: Guest): void | Wait<void> {
    if (!guest.mdev || !this.linux.vfioAp) return fail("ENODEV");
    return this.queue.run(this.#close(guest));
  }

  /** VFIO_DEVICE_RESET. ENODEV: it has no device; EIO. */
  resetMdev(guest: Guest): void | Wait<void> {
    const { vfioAp } = this.linux;
    if (!guest.mdev || !vfioAp) return fail("ENODEV");
    return this.queue.run(vfioAp.reset(guest.mdev));
  }

  *#close(guest: Guest): Job<void> {
    const { mdev } = guest;
    guest.mdev = undefined;
    guest.deviceData = undefined;
    if (mdev) yield* this.linux.vfioAp?.close(mdev) ?? [];
  }
}
