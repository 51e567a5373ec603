import { randomUUID } from "node:crypto";
import type { ApPlatform } from "../../ap/platform.ts";
import { type GuestFacilities, VirtualMachine } from "../../kvm/virtual-machine.ts";
import type { Uevent } from "../../linux/driver-core/uevents.ts";
import type { GenerationName } from "../../linux/generation.ts";
import type { LogLine } from "../../linux/kernel-log.ts";
import { Linux } from "../../linux/linux.ts";
import { Timers } from "../../linux/time/timers.ts";
import { type CurrentInput, WorkQueue } from "../../linux/time/work-queue.ts";
import { Errno, fail } from "../../sysfs/errno.ts";
import { Directory } from "../../sysfs/node.ts";
import { CryptoLoop } from "./crypto-loop.ts";
import { restoreSystem } from "./restore-system.ts";
import { saveSystem } from "./save-system.ts";
import { decodeSavedGuest, encodeSavedGuest, SavedGuestError } from "./saved-form.ts";
import type { LoopKey, SavedSystem } from "./saved-guest.ts";
import type { System } from "./system.ts";

/**
 * A guest without a processor of its own: the AP bus and the zcrypt drivers of a Linux, over the AP instructions of a virtual machine. Its
 * clock runs only while the guest does; nothing in it happens while it is paused. A reset boots another Linux below the same folder.
 *
 * All of it can be saved while it stands, and restored in another guest that waits for it (`isIncoming`) and never booted. Until that one
 * runs it asks nothing of its platform, whose masks may come later.
 */
export interface ModelGuestOptions {
  readonly platform: ApPlatform;
  readonly facilities: GuestFacilities;
  readonly kernel: GenerationName;
  readonly nowMs: () => number;
  /** Of the host, whose inputs are the guest's too. */
  readonly input?: CurrentInput;
  /** It does not boot: `restore` brings it. */
  readonly isIncoming?: boolean;
  readonly onLog?: (line: LogLine) => void;
  readonly onUevent?: (event: Uevent) => void;
  readonly onBoot?: () => void;
  /** It came from elsewhere, at this time of its clock. */
  readonly onRestore?: (clockMs: number) => void;
}

/** How many things of a Linux that ends are still brought to their end, so that nobody waits for it for ever. */
const maxLastSteps = 10_000;

/** How long what is under way in a guest may take to come to where it waits, before the guest is saved. */
const lastWorkMs = 200;

/** What may get lost between the host's time and the guest's; without it a timer could be due and never fire. */
const roundingMs = 1e-3;

const facilityNames = ["ap", "qci", "apft", "apqi", "msa3"] as const;

export class ModelGuest {
  /** Its /sys; empty until it boots. */
  readonly directory = new Directory("");
  readonly vm: VirtualMachine;
  #system: System | undefined;
  #kernel: GenerationName;
  #isAwaited: boolean;
  /** What is made again here was told where it was made first. */
  #isSilent = false;
  #isRunning = false;
  /** The host's time when the guest's was 0; while it is paused, the guest's time. */
  #startMs = 0;
  #pausedAtMs = 0;

  constructor(private readonly options: ModelGuestOptions) {
    this.vm = new VirtualMachine(options.platform, options.facilities);
    this.#kernel = options.kernel;
    this.#isAwaited = options.isIncoming ?? false;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Undefined before it boots and after it powered off. */
  get linux(): Linux | undefined {
    return this.#system?.linux;
  }

  /** It waits to be restored. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  /** Another one with each boot; undefined while there is no Linux. */
  get bootId(): string | undefined {
    return this.#system?.bootId;
  }

  get kernel(): GenerationName {
    return this.#kernel;
  }

  /** The last one that was started. */
  get loop(): CryptoLoop | undefined {
    return this.#system?.loop;
  }

  /** ENXIO: it has no Linux. EBUSY: one runs. */
  startLoop(key: LoopKey): CryptoLoop {
    const system = this.#system ?? fail("ENXIO");
    if (system.loop?.isRunning) fail("EBUSY");
    system.loop = CryptoLoop.begin(system.linux, key);
    system.loop.run();
    return system.loop;
  }

  /** Lets it run; the first time it boots. EBUSY: it waits to be restored. */
  run(): void {
    if (this.#isAwaited) fail("EBUSY");
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#startMs = this.options.nowMs() - this.#pausedAtMs;
    if (!this.#system) this.#boot();
    else if (this.#system.isStanding) this.#resume(this.#system);
  }

  pause(): void {
    if (!this.#isRunning) return;
    this.tick();
    this.#isRunning = false;
    this.#pausedAtMs = this.options.nowMs() - this.#startMs;
  }

  /**
   * All that it is. What was about to happen without waiting for anything happens first, so nothing is lost between two steps; a program's request
   * that waits for a card stays here. SavedGuestError: it runs, or cannot be saved as it is.
   */
  save(): Buffer {
    if (this.#isRunning) throw new SavedGuestError("a guest is saved while it is paused");
    if (this.#isAwaited) throw new SavedGuestError("the guest has not come yet");
    const system = this.#system;
    if (system && !system.isStanding) system.work.work(lastWorkMs);
    return this.#encode();
  }

  /** Becomes what was saved. SavedGuestError: it cannot, and waits as before. */
  restore(bytes: Buffer): void {
    if (!this.#isAwaited) throw new SavedGuestError("the guest does not wait for a saved one");
    const saved = decodeSavedGuest(bytes);
    this.#refuseOtherFacilities(saved.facilities);
    this.#isSilent = true;
    try {
      this.#kernel = saved.kernel;
      if (saved.system) this.#restoreSystem(saved.system);
      // What has no place in a guest, or contradicts itself, is not there afterwards.
      if (!this.#encode().equals(bytes)) throw new SavedGuestError("the saved guest is damaged: it contradicts itself");
    } catch (error) {
      this.#dropSystem();
      this.#pausedAtMs = 0;
      this.#kernel = this.options.kernel;
      if (error instanceof Errno) throw new SavedGuestError(`the saved guest is damaged: ${error.message}`);
      throw error;
    } finally {
      this.#isSilent = false;
    }
    this.#isAwaited = false;
    if (saved.system) this.options.onRestore?.(saved.system.clockMs);
  }

  #encode(): Buffer {
    const { facilities } = this.options;
    return encodeSavedGuest({ kernel: this.#kernel, facilities, system: this.#system ? saveSystem(this.#system) : null });
  }

  #refuseOtherFacilities(saved: GuestFacilities): void {
    const named = (facilities: GuestFacilities): string => facilityNames.filter((name) => facilities[name]).join(", ") || "none";
    const { facilities } = this.options;
    if (named(saved) === named(facilities)) return;
    throw new SavedGuestError(`the guest that was saved has the facilities ${named(saved)}; this one has ${named(facilities)}`);
  }

  #restoreSystem(saved: SavedSystem): void {
    const system = this.#makeSystem(saved.bootId);
    this.#system = system;
    system.isStanding = true;
    restoreSystem(system, saved);
    this.#pausedAtMs = saved.clockMs;
  }

  #resume(system: System): void {
    system.isStanding = false;
    for (const { machine } of system.linux.bus.queues.values()) machine.resume();
    system.loop?.run();
  }

  /** Its Linux is gone; a new one boots, at once or when the guest runs again. */
  reset(): void {
    this.#dropSystem();
    this.#startMs = this.options.nowMs();
    this.#pausedAtMs = 0;
    if (this.#isRunning) this.#boot();
  }

  powerOff(): void {
    this.#isRunning = false;
    this.#pausedAtMs = 0;
    this.#dropSystem();
  }

  /** The guest hears of a changed AP configuration; what it does about it waits until it runs. */
  announceConfigurationChange(): void {
    this.vm.announceConfigurationChange();
  }

  // For the owner of the clock.

  /** In the host's time. */
  get nextTimerMs(): number | undefined {
    const due = this.#isRunning ? this.#system?.timers.nextDueMs : undefined;
    return due === undefined ? undefined : due + this.#startMs;
  }

  tick(): void {
    if (this.#isRunning) this.#system?.timers.advanceTo(this.options.nowMs() - this.#startMs + roundingMs);
  }

  /** True while work is left. */
  work(budgetMs: number): boolean {
    if (!this.#isRunning || !this.#system || this.#system.work.isIdle) return false;
    return this.#system.work.work(budgetMs);
  }

  hasWorkOf(input: number): boolean {
    return this.#isRunning && (this.#system?.work.hasWorkOf(input) ?? false);
  }

  /** False when no timer but periodic ones is there. */
  fireNextForeground(): boolean {
    return this.#isRunning && (this.#system?.timers.fireNextForeground() ?? false);
  }

  #boot(): void {
    this.options.onBoot?.();
    this.#system = this.#makeSystem(randomUUID());
    this.#system.linux.boot();
  }

  #makeSystem(bootId: string): System {
    const { onLog, onUevent } = this.options;
    const timers = new Timers();
    const work = new WorkQueue(this.options.input);
    const linux = new Linux({
      root: this.directory,
      platform: this.vm,
      kernel: this.#kernel,
      commandLine: "",
      timers,
      work,
      onLog: (line) => this.#isSilent || onLog?.(line),
      onUevent: (event) => this.#isSilent || onUevent?.(event),
    });
    return { linux, timers, work, bootId, isStanding: false, loop: undefined };
  }

  #dropSystem(): void {
    const system = this.#system;
    if (!system) return;
    this.vm.forgetListeners();
    system.loop?.abandon();
    for (const { machine } of system.linux.bus.queues.values()) machine.shutDown();
    for (let step = 0; step < maxLastSteps && (system.work.work(0) || system.timers.fireNextForeground()); step++);
    this.#system = undefined;
    for (const child of [...this.directory.children]) this.directory.remove(child.name);
  }
}
