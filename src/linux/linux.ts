import type { ApPlatform } from "../ap/platform.ts";
import { Directory } from "../sysfs/node.ts";
import type { Wait } from "../sysfs/wait.ts";
import { ApBus } from "./bus/ap-bus.ts";
import type { ApDriver } from "./bus/ap-driver.ts";
import { Bus } from "./driver-core/bus.ts";
import { DeviceClass } from "./driver-core/device-class.ts";
import { type Uevent, Uevents } from "./driver-core/uevents.ts";
import { type Generation, type GenerationName, generation } from "./generation.ts";
import { KernelLog, Level, type LogLine } from "./kernel-log.ts";
import { MdevCore } from "./mdev/mdev-core.ts";
import { apParameters, builtInModule, zcryptParameters } from "./modules/module-folders.ts";
import { type ModuleDefinition, ModuleLoader } from "./modules/module-loader.ts";
import { Timers } from "./time/timers.ts";
import { type Job, WorkQueue } from "./time/work-queue.ts";
import { VfioAp } from "./vfio-ap/vfio-ap.ts";
import { Zcrypt } from "./zcrypt/zcrypt.ts";
import { zcryptModules } from "./zcrypt/zcrypt-drivers.ts";
import { ZcryptClass } from "./zcrypt/zcrypt-nodes.ts";

/**
 * One Linux over an AP platform: its /sys, its log, its uevents, its modules. The same for a host over a machine and a guest
 * over a virtual machine.
 */
export interface LinuxOptions {
  /** What becomes its /sys; empty. */
  readonly root?: Directory;
  readonly platform: ApPlatform;
  readonly kernel: GenerationName;
  readonly commandLine: string;
  readonly timers?: Timers;
  readonly work?: WorkQueue;
  /** AP bus, zcrypt and vfio_ap are part of the kernel image, and vfio_ap is there from the start. */
  readonly isBuiltIn?: boolean;
  /** See ApBusEnvironment. */
  readonly knownTexts?: ReadonlyMap<string, string>;
  readonly onLog?: (line: LogLine) => void;
  readonly onUevent?: (event: Uevent) => void;
}

export class Linux {
  /** Its /sys. */
  readonly root: Directory;
  /** What of its /dev are files of ours: `vfio`. */
  readonly dev = new Directory("dev");
  readonly generation: Generation;
  readonly timers: Timers;
  readonly work: WorkQueue;
  readonly log: KernelLog;
  readonly uevents: Uevents;
  readonly bus: ApBus;
  readonly zcrypt: Zcrypt;
  /** Undefined before it boots. */
  zcryptNodes: ZcryptClass | undefined;
  readonly mdevCore: MdevCore;
  readonly modules: ModuleLoader;
  vfioAp: VfioAp | undefined;
  readonly #folders: Record<"bus" | "class" | "devices" | "virtual" | "module" | "kernel", Directory>;
  readonly #matrixBus: Bus;
  readonly #misc: DeviceClass;
  readonly #isBuiltIn: boolean;

  constructor(options: LinuxOptions) {
    this.root = options.root ?? new Directory("");
    this.generation = generation(options.kernel);
    this.timers = options.timers ?? new Timers();
    this.work = options.work ?? new WorkQueue();
    this.#isBuiltIn = options.isBuiltIn ?? false;
    const startMs = this.timers.nowMs;
    this.log = new KernelLog(() => this.timers.nowMs - startMs, options.onLog);
    this.uevents = new Uevents(options.onUevent);
    this.#folders = this.#makeFolders();
    this.#misc = new DeviceClass("misc", this.#folders.virtual, this.uevents);
    this.bus = new ApBus({
      platform: options.platform,
      generation: this.generation,
      commandLine: options.commandLine,
      work: this.work,
      timers: this.timers,
      log: this.log,
      uevents: this.uevents,
      ...(options.knownTexts && { knownTexts: options.knownTexts }),
    });
    this.zcrypt = new Zcrypt(this.bus);
    this.#matrixBus = new Bus("matrix", this.work, this.log);
    this.mdevCore = new MdevCore({
      generation: this.generation,
      work: this.work,
      log: this.log,
      uevents: this.uevents,
      virtual: this.#folders.virtual,
      afterMs: (delayMs, fire) => this.timers.after(delayMs, fire, { isBackground: true }),
    });
    this.#folders.kernel.addDirectory(this.mdevCore.groups.directory);
    this.dev.addDirectory(this.mdevCore.groups.nodes.directory);
    this.modules = new ModuleLoader(this.#folders.module, this.#isBuiltIn ? [] : this.#moduleDefinitions());
  }

  /** What runs until the first process could: drivers, and the first scan, which is queued. ENODEV: no AP instructions. */
  boot(): void {
    if (!this.bus.instructions.areAvailable) {
      this.log.write(Level.warning, "ap: The hardware system does not support AP instructions");
      return;
    }
    this.#addBus();
    if (this.#isBuiltIn) {
      const { module } = this.#folders;
      const { zcryptParameter } = this.generation;
      if (zcryptParameter) module.addDirectory(builtInModule("zcrypt", zcryptParameters(zcryptParameter)));
      this.#addVfioContainer();
      this.#addMdevFolders();
      for (const { drivers } of zcryptModules(this.zcrypt)) {
        for (const driver of drivers(undefined)) this.#finish(this.bus.addDriver(driver));
      }
      this.#finish(this.#loadVfioAp(undefined));
    } else {
      for (const { name } of zcryptModules(this.zcrypt)) this.#finish(this.modules.load(name));
    }
    this.bus.requestScan();
  }

  /** As `boot`, of a Linux that was elsewhere: without what its boot would do to the bus; for who restores the rest. */
  *bootStanding(modules: readonly string[]): Job<void> {
    if (this.bus.instructions.areAvailable) this.#addBus();
    for (const name of modules) yield* this.modules.load(name);
  }

  /** ENOENT, or what loading fails with. */
  modprobe(name: string): void | Wait<void> {
    return this.work.run(this.modules.load(name));
  }

  /** ENOENT, EAGAIN. */
  rmmod(name: string): void | Wait<void> {
    return this.work.run(this.modules.unload(name));
  }

  #moduleDefinitions(): ModuleDefinition[] {
    const linux = this;
    const nothing = function* () {};
    const plain = (name: string, size: number, depends: string[], load: ModuleDefinition["load"] = nothing): ModuleDefinition => ({
      name,
      size,
      depends,
      load,
      unload: nothing,
    });
    const zcrypt = zcryptModules(this.zcrypt).map(({ name, drivers }): ModuleDefinition => {
      let loaded: ApDriver[] = [];
      return {
        name,
        size: 28672,
        depends: ["zcrypt"],
        *load(folder) {
          loaded = drivers(folder);
          for (const driver of loaded) yield* linux.bus.addDriver(driver);
        },
        *unload() {
          for (const driver of loaded.reverse()) yield* linux.bus.removeDriver(driver);
        },
      };
    });
    return [
      plain("zcrypt", 122880, []),
      ...zcrypt,
      plain("kvm", 405504, []),
      plain("vfio", 57344, [], function* () {
        linux.#addVfioContainer();
      }),
      plain("vfio_iommu_type1", 49152, ["vfio"]),
      plain("mdev", 28672, ["vfio"], function* () {
        linux.#addMdevFolders();
      }),
      {
        name: "vfio_ap",
        size: 53248,
        depends: ["kvm", "vfio", "mdev"],
        load: (folder) => linux.#loadVfioAp(folder),
        *unload() {
          yield* linux.vfioAp?.unload() ?? nothing();
          linux.vfioAp = undefined;
          linux.#folders.bus.remove("matrix");
        },
        users: () => linux.vfioAp?.openDevices ?? 0,
      },
    ];
  }

  *#loadVfioAp(folder: Directory | undefined) {
    const { bus, devices, module } = this.#folders;
    const hasFolder = this.#isBuiltIn && this.generation.mdevDriverHasModuleLink;
    const builtIn = hasFolder ? builtInModule("vfio_ap", new Directory("drivers")) : undefined;
    if (builtIn) module.addDirectory(builtIn);
    const vfioAp = new VfioAp({
      bus: this.bus,
      mdevCore: this.mdevCore,
      matrixBus: this.#matrixBus,
      devices,
      module: folder,
      mdevDriverModule: folder ?? builtIn,
    });
    bus.addDirectory(this.#matrixBus.directory);
    try {
      yield* vfioAp.load();
    } catch (error) {
      bus.remove("matrix");
      throw error;
    }
    this.vfioAp = vfioAp;
  }

  #addBus(): void {
    const { bus, devices, module } = this.#folders;
    bus.addDirectory(this.bus.directory);
    devices.addDirectory(this.bus.rootDevice.directory);
    module.addDirectory(builtInModule("ap", apParameters(this.bus)));
    this.#addZcryptNodes();
  }

  #addVfioContainer(): void {
    if (!this.#misc.directory.lookup("vfio")) this.#misc.add("vfio", vfioContainerNumber);
  }

  #addMdevFolders(): void {
    const { bus, class: classes } = this.#folders;
    if (bus.lookup("mdev")) return;
    bus.addDirectory(this.mdevCore.bus.directory);
    classes.addDirectory(this.mdevCore.parentClass);
    classes.addDirectory(this.mdevCore.groups.vfioClass.directory);
    if (this.generation.hasVfioDeviceClass) classes.addDirectory(this.mdevCore.vfioDeviceClass);
  }

  #addZcryptNodes(): void {
    const { class: classes, virtual } = this.#folders;
    this.zcryptNodes = new ZcryptClass(virtual, this.uevents);
    classes.addDirectory(this.zcryptNodes.directory);
    classes.addDirectory(this.#misc.directory);
    this.#misc.add("z90crypt", z90cryptNumber);
  }

  #makeFolders(): Record<"bus" | "class" | "devices" | "virtual" | "module" | "kernel", Directory> {
    const folder = (name: string): Directory => this.root.addDirectory(new Directory(name));
    const folders = {
      bus: folder("bus"),
      class: folder("class"),
      devices: folder("devices"),
      module: folder("module"),
      kernel: folder("kernel"),
    };
    folders.devices.addDirectory(new Directory("system"));
    // What programs expect of any /sys.
    for (const name of ["block", "dev", "firmware", "power"]) folder(name);
    folder("fs").addDirectory(new Directory("cgroup"));
    return { ...folders, virtual: folders.devices.addDirectory(new Directory("virtual")) };
  }

  /** Runs a job that cannot sleep. */
  #finish(job: Parameters<WorkQueue["run"]>[0]): void {
    this.work.run(job);
  }
}

const z90cryptNumber = { major: 10, minor: 63, node: "z90crypt" };
const vfioContainerNumber = { major: 10, minor: 196, node: "vfio/vfio" };
