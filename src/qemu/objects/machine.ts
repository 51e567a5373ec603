import { type CpuModel, cpuTypeName } from "../cpu/cpu-model.ts";
import { type MachineType, machineTypeName } from "./machine-types.ts";
import { QomBus, QomDevice, QomObject } from "./qom-object.ts";

export interface MachineOptions {
  readonly type: MachineType;
  readonly cpus: number;
  readonly maxCpus: number;
  readonly memoryBytes: number;
  /** Undefined on an empty machine without processors. */
  readonly cpu: CpuModel | undefined;
}

/** The objects that a virtual machine has from the beginning. Source: qom-list and info qtree of s390-ccw-virtio. */
export class Machine {
  readonly root = new QomObject("container");
  readonly object: QomObject;
  readonly peripheral: QomObject;
  readonly anonymous: QomObject;
  readonly unattached: QomObject;
  readonly userObjects: QomObject;
  readonly chardevs: QomObject;
  /** Everything hangs on it, as `info qtree` shows. */
  readonly mainBus: QomBus;

  constructor(readonly options: MachineOptions) {
    this.userObjects = this.root.add("objects", new QomObject("container"));
    this.object = this.root.add("machine", new QomObject(machineTypeName(options.type.name), machineValues(options)));
    this.chardevs = this.root.add("chardevs", new QomObject("container"));
    this.peripheral = this.object.add("peripheral", new QomObject("container"));
    this.anonymous = this.object.add("peripheral-anon", new QomObject("container"));
    this.unattached = this.object.add("unattached", new QomObject("container"));
    this.mainBus = new QomBus("System", "main-system-bus");
    if (options.cpu) for (let number = 0; number < options.cpus; number++) this.#addCpu(options.cpu, number);
    this.unattached.add("sysbus", this.mainBus);
    if (!options.type.isEmpty) this.#addS390();
  }

  /** Below the main bus in depth first, as bus names are looked up. */
  *buses(): Generator<QomBus> {
    yield* busesBelow(this.mainBus);
  }

  #addCpu(model: CpuModel, number: number): void {
    const cpu = new QomDevice(cpuTypeName(model.name));
    cpu.values.set("core-id", number);
    this.unattached.add("device[*]", cpu);
  }

  #addS390(): void {
    this.userObjects.add("s390.ram", new QomObject("memory-backend-ram", { size: this.options.memoryBytes }));
    const pciHost = this.#addDevice("s390-pcihost", "s390-pcihost");
    pciHost.addBus(new QomBus("s390-pcibus", "s390-pcibus.0", { isHotpluggable: true }));
    pciHost.addBus(new QomBus("PCI", "pci.0", { isHotpluggable: true }));
    this.#addDevice("virtual-css-bridge", "virtual-css-bridge").addBus(
      new QomBus("virtual-css-bus", "virtual-css", { isHotpluggable: true }),
    );
    if (this.options.cpu?.features.has("ap")) {
      this.#addDevice("ap-bridge", "ap-bridge").addBus(new QomBus("ap-bus", "ap-bus", { maxDevices: 1, isHotpluggable: true }));
    }
    this.#addDevice("s390-flic-kvm", "s390-flic-kvm");
    const sclp = this.object.add("sclp", new QomDevice("sclp"));
    const events = sclp.add("s390-sclp-event-facility", new QomDevice("s390-sclp-event-facility", undefined, this.mainBus));
    const eventsBus = events.addBus(new QomBus("s390-sclp-events-bus", "s390-sclp-events-bus.0"));
    for (const type of ["sclpquiesce", "sclp-cpu-hotplug"]) events.add(type, new QomDevice(type, undefined, eventsBus));
    for (const name of ["s390-tod", "s390-storage_attributes", "s390-skeys"]) this.object.add(name, new QomDevice(`${name}-kvm`));
    this.object.add("s390-ipl", new QomDevice("s390-ipl"));
  }

  #addDevice(type: string, name: string): QomDevice {
    return this.object.add(name, new QomDevice(type, undefined, this.mainBus));
  }
}

function* busesBelow(bus: QomBus): Generator<QomBus> {
  yield bus;
  for (const device of bus.devices) for (const below of device.buses) yield* busesBelow(below);
}

function machineValues({ cpus, maxCpus, memoryBytes }: MachineOptions): Record<string, unknown> {
  return {
    smp: { cpus, drawers: 1, books: 1, sockets: maxCpus, cores: 1, threads: 1, maxcpus: maxCpus },
    memory: { size: memoryBytes, "max-size": memoryBytes, slots: 0 },
    graphics: true,
    "dump-guest-core": true,
    "mem-merge": true,
    "aes-key-wrap": true,
    "dea-key-wrap": true,
    loadparm: "        ",
  };
}
