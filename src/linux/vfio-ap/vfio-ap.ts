import type { Apqn } from "../../ap/apqn.ts";
import type { Mask } from "../../ap/mask.ts";
import type { QciBlock } from "../../ap/qci.ts";
import type { ApMasks } from "../../kvm/crycb.ts";
import { type AttributeTable, attributeTable, constant } from "../../sysfs/attribute.ts";
import { Errno, fail } from "../../sysfs/errno.ts";
import type { Directory } from "../../sysfs/node.ts";
import type { ApBus } from "../bus/ap-bus.ts";
import type { ApDriver } from "../bus/ap-driver.ts";
import { ApQueue } from "../bus/ap-queue.ts";
import type { Bus } from "../driver-core/bus.ts";
import { Device } from "../driver-core/device.ts";
import type { Driver } from "../driver-core/driver.ts";
import type { Generation } from "../generation.ts";
import { Level } from "../kernel-log.ts";
import type { Mdev, MdevCore, MdevDriver } from "../mdev/mdev-core.ts";
import { RateLimitedLog } from "../rate-limited-log.ts";
import { type Job, Mutex } from "../time/work-queue.ts";
import { handleAqic } from "./aqic.ts";
import { filterMatrix } from "./filter.ts";
import { beginConfigurationChange, completeConfigurationChange } from "./host-configuration.ts";
import { type DeviceUser, type MatrixLimits, MatrixMdev } from "./matrix-mdev.ts";
import { matrixAttributes } from "./mdev-attributes.ts";
import { DeviceMigration } from "./migration/device-migration.ts";
import { bindQueue, releaseQueue } from "./queue-binding.ts";
import { resetQueues } from "./reset.ts";
import { reportInUse } from "./sharing.ts";
import type { VfioApQueue } from "./vfio-ap-queue.ts";

/**
 * The vfio_ap module while it is loaded: the matrix device, the queues bound to it and the mediated devices. One mutex orders
 * everything that changes a matrix. Source: Linux drivers/s390/crypto/vfio_ap_drv.c, vfio_ap_ops.c.
 */
const mdevType = { id: "vfio_ap-passthrough", name: "VFIO AP Passthrough Device", deviceApi: "vfio-ap", instances: 65536 } as const;
const oldestType = 10;
const newestType = 14;
const classicMaxAdapter = 63;
const classicMaxDomain = 15;

export interface VfioApEnvironment {
  readonly bus: ApBus;
  readonly mdevCore: MdevCore;
  readonly matrixBus: Bus;
  readonly devices: Directory;
  /** Its folder in /sys/module, where its drivers link to one. */
  readonly module: Directory | undefined;
  readonly mdevDriverModule: Directory | undefined;
}

export class VfioAp {
  readonly bus: ApBus;
  readonly mdevCore: MdevCore;
  readonly generation: Generation;
  readonly queues = new Map<Apqn, VfioApQueue>();
  readonly lock = new Mutex();
  readonly limitedLog: RateLimitedLog;
  /** What the host has, as of the last scan's begin. */
  host: QciBlock;
  readonly #environment: VfioApEnvironment;
  readonly #matrixMdevs = new Map<Mdev, MatrixMdev>();
  readonly #root: Device;
  readonly #matrixDevice: Device;
  readonly #apDriver: ApDriver;
  readonly #matrixDriver: Driver;
  readonly #mdevDriver: MdevDriver;

  constructor(environment: VfioApEnvironment) {
    this.#environment = environment;
    this.bus = environment.bus;
    this.mdevCore = environment.mdevCore;
    this.generation = environment.bus.generation;
    this.host = environment.bus.instructions.qci() ?? environment.bus.configuration;
    this.limitedLog = new RateLimitedLog(this.bus.log, () => this.bus.timers.nowMs);
    this.#root = new Device("vfio_ap", undefined, this.bus.uevents);
    this.#matrixDevice = new Device("matrix", environment.matrixBus, this.bus.uevents);
    this.#apDriver = this.#makeApDriver();
    this.#matrixDriver = {
      name: "vfio_ap",
      suppressesBind: true,
      matches: () => true,
      *probe() {},
      *remove() {},
    };
    this.#mdevDriver = this.#makeMdevDriver();
  }

  /** Loads the module. ENODEV without AP instructions. */
  *load(): Job<void> {
    if (!this.bus.instructions.areAvailable) fail("ENODEV");
    const { matrixBus, devices } = this.#environment;
    devices.addDirectory(this.#root.directory);
    yield* matrixBus.addDriver(this.#matrixDriver);
    yield* matrixBus.addDevice(this.#matrixDevice, this.#root.directory);
    this.#matrixDevice.directory.attach(matrixDeviceAttributes(this.generation), this);
    yield* this.bus.addDriver(this.#apDriver);
    yield* this.mdevCore.bus.addDriver(this.#mdevDriver);
    this.mdevCore.registerParent(this.#matrixDevice, mdevType, this.#mdevDriver);
  }

  /** How many mediated devices are open; while there is one, the module may not go. */
  get openDevices(): number {
    return [...this.#matrixMdevs.values()].filter((matrixMdev) => matrixMdev.mdev.isInUse).length;
  }

  *unload(): Job<void> {
    const { matrixBus, devices } = this.#environment;
    yield* this.mdevCore.unregisterParent();
    yield* this.mdevCore.bus.removeDriver(this.#mdevDriver);
    yield* this.bus.removeDriver(this.#apDriver);
    yield* matrixBus.removeDevice(this.#matrixDevice);
    yield* matrixBus.removeDriver(this.#matrixDriver);
    devices.remove(this.#root.name);
  }

  /** Newest first, as the driver's list is. */
  get matrixMdevs(): MatrixMdev[] {
    return [...this.#matrixMdevs.values()].reverse();
  }

  matrixMdev(uuid: string): MatrixMdev | undefined {
    const mdev = this.mdevCore.find(uuid);
    return mdev && this.#matrixMdevs.get(mdev);
  }

  get hostMasks(): ApMasks {
    return this.host;
  }

  /** The greatest ids of an mdev made now. */
  get limits(): MatrixLimits {
    const { apxa, maxAdapter, maxDomain } = this.host;
    return apxa ? { adapter: maxAdapter, domain: maxDomain } : { adapter: classicMaxAdapter, domain: classicMaxDomain };
  }

  // What QEMU's vfio-ap device does.

  /** A guest takes the device. ENOENT: no such device; EBUSY: somebody has it; EPERM: the guest has another one already. */
  *open(uuid: string, user: DeviceUser): Job<void> {
    const matrixMdev = this.matrixMdev(uuid) ?? fail("ENOENT");
    if (matrixMdev.mdev.isInUse) fail("EBUSY");
    if (matrixMdev.mdev.removal) fail("ENODEV");
    const driver = this;
    // In use before the lock is there: nobody else opens it meanwhile, and a removal waits.
    matrixMdev.mdev.isInUse = true;
    try {
      yield* this.lock.hold(function* () {
        if (driver.matrixMdev(uuid) !== matrixMdev) fail("ENODEV");
        if (driver.matrixMdevs.some((other) => other.user?.vm === user.vm)) fail("EPERM");
        matrixMdev.user = user;
        if (driver.generation.isMigratable) matrixMdev.migration = new DeviceMigration(driver, matrixMdev);
        user.vm.aqicHook = (request) => handleAqic(driver, matrixMdev, request);
        if (!driver.generation.isDynamic) matrixMdev.guestMatrix = matrixMdev.matrix;
        matrixMdev.pushToGuest();
      });
    } catch (error) {
      this.mdevCore.released(matrixMdev.mdev);
      throw error;
    }
  }

  /** The guest lets the device go: its masks are cleared, every queue of the device is reset. */
  *close(matrixMdev: MatrixMdev): Job<void> {
    const { user, mdev } = matrixMdev;
    if (!user) return;
    yield* this.lock.hold(function* () {
      user.vm.aqicHook = undefined;
      user.vm.clearMasks();
      yield* resetQueues(matrixMdev.linked.inTableOrder());
      matrixMdev.migration = undefined;
      matrixMdev.user = undefined;
    });
    this.mdevCore.released(mdev);
  }

  /** VFIO_DEVICE_RESET: every queue of the device; a migration of it is over. EIO when one of them did not take it. */
  *reset(matrixMdev: MatrixMdev): Job<void> {
    yield* this.lock.hold(function* () {
      const queues = matrixMdev.linked.inTableOrder();
      yield* resetQueues(queues);
      if (queues.some((queue) => queue.resetCode !== 0)) throw new Errno("EIO");
      matrixMdev.migration?.reset();
    });
  }

  // Queues.

  link(matrixMdev: MatrixMdev, queue: VfioApQueue | undefined): void {
    if (!queue || matrixMdev.linked.get(queue.apqn)) return;
    queue.matrixMdev = matrixMdev;
    matrixMdev.linked.add(queue);
  }

  unlink(matrixMdev: MatrixMdev, queue: VfioApQueue): void {
    matrixMdev.linked.delete(queue);
    queue.matrixMdev = undefined;
    queue.guestIsc = undefined;
  }

  /** Filters again; a guest that lost adapters by it gets them reset. */
  *refilter(matrixMdev: MatrixMdev): Job<void> {
    const { hasChanged, lostAdapters } = filterMatrix(matrixMdev, this.host);
    if (!hasChanged) return;
    matrixMdev.pushToGuest();
    yield* this.resetAdapters(matrixMdev, lostAdapters);
  }

  /** Resets the linked queues of these adapters, as far as their domains are the guest's. */
  *resetAdapters(matrixMdev: MatrixMdev, adapters: Mask): Job<void> {
    if (!this.generation.resetsFilteredAdapters) return;
    const queues: VfioApQueue[] = [];
    for (const adapter of adapters) {
      for (const domain of matrixMdev.guestMatrix.usageDomains) {
        const queue = matrixMdev.linked.get((adapter << 8) | domain);
        if (queue) queues.push(queue);
      }
    }
    yield* resetQueues(queues);
  }

  /** `unassigned`, `assigned` or `in use`. */
  statusText({ adapter, domain }: ApQueue): string {
    const owner = this.matrixMdevs.find((matrixMdev) => matrixMdev.has(adapter, domain));
    if (!owner) return "unassigned\n";
    return owner.user && owner.guestHas(adapter, domain) ? "in use\n" : "assigned\n";
  }

  #makeApDriver(): ApDriver {
    return {
      name: "vfio_ap",
      isDefault: false,
      module: this.#environment.module,
      matches: (device) => device instanceof ApQueue && device.card.info.type >= oldestType && device.card.info.type <= newestType,
      probe: (device) => bindQueue(this, device as ApQueue),
      remove: (device) => releaseQueue(this, device as ApQueue),
      inUse: (adapters, domains) => reportInUse(this, adapters, domains),
      configurationChanged: (now, before) => this.lock.hold(() => beginConfigurationChange(this, now, before)),
      scanCompleted: () => this.lock.hold(() => completeConfigurationChange(this)),
      interrupted: (device) => this.#forwardInterrupt((device as ApQueue).apqn),
    };
  }

  /** Interruptions of a queue go to the guest that switched them on. */
  #forwardInterrupt(apqn: Apqn): void {
    const queue = this.queues.get(apqn);
    if (queue?.guestIsc !== undefined) queue.matrixMdev?.user?.vm.interruptQueue(apqn);
  }

  #makeMdevDriver(): MdevDriver {
    const driver = this;
    const { mdevCore, generation } = this;
    const table = matrixAttributes(generation);
    return {
      name: generation.mdevDriver,
      module: this.#environment.mdevDriverModule,
      matches: () => true,
      *probe(device) {
        const mdev = device as Mdev;
        const matrixMdev = new MatrixMdev(mdev, driver.limits);
        mdevCore.addVfioDevice(mdev);
        device.directory.attach(table, { driver, matrixMdev });
        driver.#matrixMdevs.set(mdev, matrixMdev);
      },
      *remove(device) {
        const mdev = device as Mdev;
        yield* mdevCore.awaitRelease(mdev);
        yield* driver.lock.hold(function* () {
          const matrixMdev = driver.#matrixMdevs.get(mdev);
          if (!matrixMdev) return;
          const queues = matrixMdev.linked.inTableOrder();
          yield* resetQueues(queues);
          for (const queue of queues) driver.unlink(matrixMdev, queue);
          driver.#matrixMdevs.delete(mdev);
        });
        device.directory.detach(table);
        mdevCore.removeVfioDevice(mdev);
      },
      requestRelease: (mdev, count) => driver.#requestRelease(mdev, count),
    };
  }

  #requestRelease(mdev: Mdev, count: number): void {
    const matrixMdev = this.#matrixMdevs.get(mdev);
    const user = matrixMdev?.user;
    const { vfioIrqs } = this.generation;
    if (!user || vfioIrqs === 0) return;
    if (vfioIrqs === 2) {
      user.vm.clearMasks();
      user.onConfigurationChange?.();
    }
    const name = `${this.generation.mdevDriver} ${mdev.name}`;
    if (user.onRequest) {
      if (count % 10 === 0) this.bus.log.write(Level.notice, `${name}: Relaying device request to user (#${count})`);
      user.onRequest(count);
    } else if (count === 0) this.bus.log.write(Level.notice, `${name}: No device request registered, blocked until released by user`);
  }
}

const matrixDeviceAttributes = (generation: Generation): AttributeTable<VfioAp> =>
  attributeTable<VfioAp>(generation.matrixFeatures.length > 0 && constant("features", () => `${generation.matrixFeatures.join(" ")}\n`));
