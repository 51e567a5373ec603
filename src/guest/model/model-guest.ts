import type { ApPlatform } from "../../ap/platform.ts";
import { type GuestFacilities, VirtualMachine } from "../../kvm/virtual-machine.ts";
import type { Uevent } from "../../linux/driver-core/uevents.ts";
import type { GenerationName } from "../../linux/generation.ts";
import type { LogLine } from "../../linux/kernel-log.ts";
import { Linux } from "../../linux/linux.ts";
import { Timers } from "../../linux/time/timers.ts";
import { WorkQueue } from "../../linux/time/work-queue.ts";
import { Directory } from "../../sysfs/node.ts";

/**
 * A guest without a processor of its own: the AP bus and the zcrypt drivers of a Linux, over the AP instructions of a virtual machine. Its
 * clock runs only while the guest does; nothing in it happens while it is paused. A reset boots another Linux below the same folder.
 */
export interface ModelGuestOptions {
  readonly platform: ApPlatform;
  readonly facilities: GuestFacilities;
  readonly kernel: GenerationName;
  readonly nowMs: () => number;
  readonly onLog?: (line: LogLine) => void;
  readonly onUevent?: (event: Uevent) => void;
  readonly onBoot?: () => void;
}

/** How many things of a Linux that ends are still brought to their end, so that nobody waits for it for ever. */
const maxLastSteps = 10_000;

/** What may get lost between the host's time and the guest's; without it a timer could be due and never fire. */
const roundingMs = 1e-3;

interface System {
  readonly linux: Linux;
  readonly timers: Timers;
  readonly work: WorkQueue;
}

export class ModelGuest {
  /** Its /sys; empty until it boots. */
  readonly directory = new Directory("");
  readonly vm: VirtualMachine;
  #system: System | undefined;
  #isRunning = false;
  /** The host's time when the guest's was 0; while it is paused, the guest's time. */
  #startMs = 0;
  #pausedAtMs = 0;

  constructor(private readonly options: ModelGuestOptions) {
    this.vm = new VirtualMachine(options.platform, options.facilities);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Undefined before it boots and after it powered off. */
  get linux(): Linux | undefined {
    return this.#system?.linux;
  }

  /** Lets it run; the first time it boots. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#startMs = this.options.nowMs() - this.#pausedAtMs;
    if (!this.#system) this.#boot();
  }

  pause(): void {
    if (!this.#isRunning) return;
    this.tick();
    this.#isRunning = false;
    this.#pausedAtMs = this.options.nowMs() - this.#startMs;
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

  /** False when no timer but periodic ones is there. */
  fireNextForeground(): boolean {
    return this.#isRunning && (this.#system?.timers.fireNextForeground() ?? false);
  }

  #boot(): void {
    const { kernel, onLog, onUevent, onBoot } = this.options;
    onBoot?.();
    const timers = new Timers();
    const work = new WorkQueue();
    const linux = new Linux({
      root: this.directory,
      platform: this.vm,
      kernel,
      commandLine: "",
      timers,
      work,
      ...(onLog && { onLog }),
      ...(onUevent && { onUevent }),
    });
    this.#system = { linux, timers, work };
    linux.boot();
  }

  #dropSystem(): void {
    const system = this.#system;
    if (!system) return;
    this.vm.forgetListeners();
    for (const { machine } of system.linux.bus.queues.values()) machine.shutDown();
    for (let step = 0; step < maxLastSteps && (system.work.work(0) || system.timers.fireNextForeground()); step++);
    this.#system = undefined;
    for (const child of [...this.directory.children]) this.directory.remove(child.name);
  }
}
