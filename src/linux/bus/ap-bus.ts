import type { Apqn } from "../../ap/apqn.ts";
import { type ApPlatform, Facility } from "../../ap/platform.ts";
import { emptyQci, type QciBlock } from "../../ap/qci.ts";
import { fail } from "../../sysfs/errno.ts";
import { Wait } from "../../sysfs/wait.ts";
import { Bus } from "../driver-core/bus.ts";
import { Device } from "../driver-core/device.ts";
import type { Driver } from "../driver-core/driver.ts";
import type { Uevents } from "../driver-core/uevents.ts";
import type { Generation } from "../generation.ts";
import { type KernelLog, Level } from "../kernel-log.ts";
import { MigrationHolds } from "../migration-holds.ts";
import { scanInteger } from "../text/numbers.ts";
import type { Timer, Timers } from "../time/timers.ts";
import { type Job, Mutex, type WorkQueue } from "../time/work-queue.ts";
import type { ApCard } from "./ap-card.ts";
import type { ApDriver } from "./ap-driver.ts";
import { ApQueue } from "./ap-queue.ts";
import { busAttributes } from "./bus-attributes.ts";
import { moduleParameters } from "./command-line.ts";
import { DriverMasks } from "./driver-masks.ts";
import { ApInstructions } from "./instructions.ts";
import { QueuePoller } from "./queue-poller.ts";
import { scanOnce } from "./scan.ts";

/**
 * The AP bus: what it knows of the platform, its cards and queues, who may have them, and when it looks again. Scans are
 * serialised; everything else that changes bindings runs as a job of the same work queue.
 * Source: Linux drivers/s390/crypto/ap_bus.c.
 */
export interface ApBusEnvironment {
  readonly platform: ApPlatform;
  readonly generation: Generation;
  readonly commandLine: string;
  readonly work: WorkQueue;
  readonly timers: Timers;
  readonly log: KernelLog;
  readonly uevents: Uevents;
  /** Texts that a card would tell if it were asked, by path below /sys: what a recording of a host holds. */
  readonly knownTexts?: ReadonlyMap<string, string>;
}

/** When the bus looks again, and what it has still to tell. */
export interface ScanProgress {
  readonly isScanDue: boolean;
  readonly nextScanAtMs: number | undefined;
  readonly isBindingsCompleteArmed: boolean;
}

const defaultPollTimeoutNs = 250_000n;
const classicMaxAdapter = 63;
const classicMaxDomain = 15;
const defaultScanSeconds = 30;

export class ApBus extends Bus {
  readonly generation: Generation;
  readonly timers: Timers;
  readonly uevents: Uevents;
  readonly instructions: ApInstructions;
  readonly parameters: ReadonlyMap<string, string>;
  readonly masks: DriverMasks;
  readonly poller: QueuePoller;
  readonly holds: MigrationHolds;
  /** Held by who changes the masks and by who assigns what they leave. Taken before vfio_ap's lock. */
  readonly attributeLock = new Mutex();
  /** `/sys/devices/ap`. */
  readonly rootDevice: Device;
  readonly knownTexts: ReadonlyMap<string, string>;
  readonly cards = new Map<number, ApCard>();
  readonly queues = new Map<Apqn, ApQueue>();
  readonly hasQci: boolean;
  maxAdapter: number;
  maxDomain: number;
  configuration: QciBlock;
  defaultDomain: number;
  scanCount = 0;
  scanSeconds = defaultScanSeconds;
  pollTimeoutNs = defaultPollTimeoutNs;
  bindingsCompleteCount = 0;
  hasPollThread = false;
  readonly usesInterrupts: boolean;
  #isBindingsCompleteArmed = true;
  #isScanning = false;
  readonly #scanWaiters: Wait<void>[] = [];
  #isScanQueued = false;
  #scanTimer: Timer | undefined;

  constructor(environment: ApBusEnvironment) {
    super("ap", environment.work, environment.log);
    this.generation = environment.generation;
    this.timers = environment.timers;
    this.uevents = environment.uevents;
    this.knownTexts = environment.knownTexts ?? new Map();
    this.instructions = new ApInstructions(environment.platform);
    this.parameters = moduleParameters(environment.commandLine, "ap");
    this.poller = new QueuePoller(environment.work, environment.timers, () => Number(this.pollTimeoutNs) / 1e6);
    this.holds = new MigrationHolds(environment.log);
    this.masks = new DriverMasks(this.parameters.get("apmask"), this.parameters.get("aqmask"));
    const qci = this.instructions.qci();
    this.hasQci = qci !== undefined;
    this.configuration = qci ?? emptyQci;
    this.maxAdapter = qci?.apxa && qci.maxAdapter !== 0 ? qci.maxAdapter : classicMaxAdapter;
    this.maxDomain = qci?.apxa && qci.maxDomain !== 0 ? qci.maxDomain : classicMaxDomain;
    this.usesInterrupts = environment.platform.hasFacility(Facility.apqi) && this.#parameterNumber("useirq", 1) !== 0;
    this.hasPollThread = !this.usesInterrupts && this.#parameterNumber("poll_thread", 0) !== 0;
    this.defaultDomain = this.#bootDomain();
    // Registered without a bus and told of it afterwards: no subsystem link, but its events have the subsystem.
    this.rootDevice = new Device("ap", this, environment.uevents);
    this.directory.attach(busAttributes(this.generation), this);
    environment.platform.listen({
      configurationChanged: () => this.requestScan(),
      queueInterrupt: (apqn) => this.#interrupted(apqn),
    });
  }

  #interrupted(apqn: Apqn): void {
    const queue = this.queues.get(apqn);
    const driver = queue?.driver as ApDriver | undefined;
    if (queue && driver?.interrupted) driver.interrupted(queue);
    else if (queue) {
      // The kernel looks for replies in a tasklet: an adapter may answer before NQAP has ended.
      this.work.defer(function* () {
        queue.machine.run();
      });
    }
  }

  // Scans.

  /** Queues a scan unless one is queued already. */
  requestScan(): void {
    if (this.#isScanQueued) return;
    this.#isScanQueued = true;
    const bus = this;
    this.work.defer(function* () {
      bus.#isScanQueued = false;
      yield* bus.#scanSerially();
    });
  }

  /** What a write to `scans` does: nothing before the first scan is over, else a scan, or the end of the one that runs. */
  forceScan(): void | Wait<void> {
    if (this.scanCount === 0) return;
    return this.work.run(this.#scanSerially());
  }

  *#scanSerially(): Job<void> {
    if (this.#isScanning) {
      const running = new Wait<void>();
      this.#scanWaiters.push(running);
      yield running;
      return;
    }
    this.#isScanning = true;
    try {
      yield* scanOnce(this);
      this.scanCount++;
      this.directory.changed("scans");
      if (this.scanCount === 1) this.rootDevice.announce("change", [["INITSCAN", "done"]]);
      this.directory.changed("bindings");
      this.checkBindingsComplete();
    } finally {
      this.#isScanning = false;
      for (const waiter of this.#scanWaiters.splice(0)) waiter.complete(() => {});
      this.armScanTimer();
    }
  }

  armScanTimer(): void {
    this.#armScanTimerAt(this.timers.nowMs + this.scanSeconds * 1000);
  }

  #armScanTimerAt(dueMs: number): void {
    this.#scanTimer?.cancel();
    this.#scanTimer = this.timers.at(dueMs, () => this.requestScan(), { isBackground: true });
  }

  get progress(): ScanProgress {
    return {
      isScanDue: this.#isScanQueued,
      // A scan arms the timer anew.
      nextScanAtMs: this.#isScanQueued ? undefined : this.#scanTimer?.dueMs,
      isBindingsCompleteArmed: this.#isBindingsCompleteArmed,
    };
  }

  /** Somebody changes what is bound to what, and sleeps. */
  get isBusy(): boolean {
    if (this.#isScanning || this.attributeLock.isHeld) return true;
    return [...this.devices.values()].some(({ isLeaving, lock }) => isLeaving || lock.isHeld);
  }

  /** Goes on where another bus was. */
  continueFrom({ isScanDue, nextScanAtMs, isBindingsCompleteArmed }: ScanProgress): void {
    this.#isBindingsCompleteArmed = isBindingsCompleteArmed;
    if (nextScanAtMs !== undefined) this.#armScanTimerAt(nextScanAtMs);
    if (isScanDue) this.requestScan();
  }

  // Devices and drivers.

  apDrivers(): Iterable<ApDriver> {
    return this.drivers.values() as Iterable<ApDriver>;
  }

  /** Queue devices in the order they were registered. */
  *queueDevices(): Generator<ApQueue> {
    for (const device of this.devices.values()) if (device instanceof ApQueue) yield device;
  }

  override *addDriver(driver: ApDriver): Job<void> {
    yield* super.addDriver(driver);
    this.checkBindingsComplete();
  }

  protected override filterProbe(device: Device, driver: Driver): void {
    if (device instanceof ApQueue) {
      const { driverOverride } = device;
      if (driverOverride !== undefined) {
        if (driverOverride !== driver.name) fail("ENODEV");
      } else if (this.masks.isHostReserved(device.adapter, device.domain) !== (driver as ApDriver).isDefault) fail("ENODEV");
      this.rearmBindingsComplete();
    }
  }

  protected override beforeRemove(device: Device): void {
    if (!(device instanceof ApQueue)) return;
    device.machine.flush();
    device.machine.deviceState = "SHUTDOWN";
  }

  protected override *afterRemove(device: Device): Job<void> {
    if (!(device instanceof ApQueue)) return;
    this.instructions.zapq(device.apqn);
    device.machine.deviceState = "UNINITIATED";
    device.changed("request_count");
  }

  protected override bindingChanged(device: Device): void {
    super.bindingChanged(device);
    this.directory.changed("bindings");
  }

  /** Queues with a driver, and all queues. */
  get bindings(): { readonly bound: number; readonly all: number } {
    let bound = 0;
    let all = 0;
    for (const queue of this.queues.values()) {
      all++;
      if (queue.driver) bound++;
    }
    return { bound, all };
  }

  rearmBindingsComplete(): void {
    this.#isBindingsCompleteArmed = true;
  }

  checkBindingsComplete(): void {
    if (!this.#isBindingsCompleteArmed || this.scanCount === 0) return;
    const { bound, all } = this.bindings;
    if (bound !== all) return;
    this.#isBindingsCompleteArmed = false;
    this.bindingsCompleteCount++;
    this.directory.changed("bindings_complete_count");
    this.rootDevice.announce("change", [
      ["BINDINGS", "complete"],
      ["COMPLETECOUNT", String(this.bindingsCompleteCount)],
    ]);
  }

  // Parameters.

  #parameterNumber(name: string, fallback: number): number {
    const text = this.parameters.get(name);
    return text === undefined || !/^[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text) ? fallback : scanInteger(text, "prefix");
  }

  #bootDomain(): number {
    const domain = this.#parameterNumber("domain", -1);
    const isPossible = domain >= -1 && domain <= this.maxDomain && (domain < 0 || this.masks.domains.has(domain));
    if (isPossible) return domain;
    this.log.write(Level.warning, `ap: ${domain} is not a valid cryptographic domain`);
    return -1;
  }
}
