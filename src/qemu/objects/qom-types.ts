import { cpuDefinitionList } from "../cpu/cpu-definition-list.ts";
import { cpuTypeName } from "../cpu/cpu-model.ts";
import { featureGroups, featureNames } from "../cpu/feature-names.ts";
import { deviceTypes, type PropertyRecord } from "../devices/device-types.ts";
import { machineTypeName, machineTypes } from "./machine-types.ts";

/** A type of the object model: what qom-list-types and its like tell of it. */
export interface QomType {
  readonly name: string;
  readonly parent?: string;
  readonly isAbstract?: boolean;
  /** Those that it adds to its parent's. */
  readonly properties?: readonly PropertyRecord[];
}

const property = (name: string, type: string, description?: string): PropertyRecord =>
  description === undefined ? { name, type } : { name, type, description };

const machineProperties: readonly PropertyRecord[] = [
  property("kernel", "string", "Linux kernel image file"),
  property("boot", "BootConfiguration", "Boot configuration"),
  property("memory", "MemorySizeConfiguration", "Memory size configuration"),
  property("initrd", "string", "Linux initial ramdisk file"),
  property("confidential-guest-support", "link<confidential-guest-support>", "Set confidential guest scheme to support"),
  property("graphics", "bool", "Set on/off to enable/disable graphics emulation"),
  property("usb", "bool", "Set on/off to enable/disable usb"),
  property("firmware", "string", "Firmware image"),
  property("memory-encryption", "string", "Set memory encryption object to use"),
  property("smp", "SMPConfiguration", "CPU topology"),
  property("dump-guest-core", "bool", "Include guest memory in a core dump"),
  property("memory-backend", "link<memory-backend>", "Set RAM backend"),
  property("mem-merge", "bool", "Enable/disable memory merge support"),
  property("append", "string", "Linux kernel command line"),
  property("suppress-vmdesc", "bool", "Set on to disable self-describing migration"),
];

const s390MachineProperties: readonly PropertyRecord[] = [
  property("loadparm", "loadparm", "Characters that the guest's boot loader gets"),
  property("aes-key-wrap", "bool", "enable/disable AES key wrapping using the CPACF wrapping key"),
  property("dea-key-wrap", "bool", "enable/disable DEA key wrapping using the CPACF wrapping key"),
];

const deviceProperties: readonly PropertyRecord[] = [
  property("parent_bus", "link<bus>"),
  property("realized", "bool"),
  property("hotplugged", "bool"),
  property("hotpluggable", "bool"),
];

const busProperties: readonly PropertyRecord[] = [property("realized", "bool"), property("hotplug-handler", "link<hotplug-handler>")];

const cpuProperties: readonly PropertyRecord[] = [...featureGroups.keys(), ...featureNames].map((name) => property(name, "bool"));

const abstractTypes: readonly (readonly [name: string, parent: string])[] = [
  ["sys-bus-device", "device"],
  ["virtio-device", "device"],
  ["css-bridge", "sys-bus-device"],
  ["pci-host-bridge", "sys-bus-device"],
  ["s390-ccw", "ccw-device"],
  ["ccw-device", "device"],
  ["virtio-ccw-device", "ccw-device"],
  ["pci-device", "device"],
  ["virtio-pci", "pci-device"],
  ["vfio-pci-base", "pci-device"],
  ["scsi-device", "device"],
  ["scsi-disk-base", "scsi-device"],
  ["virtio-serial-port", "device"],
  ["s390-sclp-event-type", "device"],
  ["virtio-bus", "bus"],
  ["memory-backend", "object"],
  ["rng-backend", "object"],
  ["tls-creds", "object"],
  ["secret_common", "object"],
  ["event-loop-base", "object"],
  ["chardev", "object"],
  ["accel", "object"],
  ["host-iommu-device", "object"],
];

const concreteTypes: readonly (readonly [name: string, parent: string])[] = [
  ["container", "object"],
  ["System", "bus"],
  ["ap-bus", "bus"],
  ["virtual-css-bus", "bus"],
  ["virtio-ccw-bus", "virtio-bus"],
  ["s390-sclp-events-bus", "bus"],
  ["SCSI", "bus"],
  ["PCI", "bus"],
  ["s390-pcibus", "bus"],
  ["virtio-serial-bus", "bus"],
  ["s390-flic-kvm", "sys-bus-device"],
  ["s390-ipl", "device"],
  ["s390-skeys-kvm", "device"],
  ["s390-storage_attributes-kvm", "device"],
  ["s390-tod-kvm", "device"],
  ["iommufd", "object"],
  ["iothread", "event-loop-base"],
  ["main-loop", "event-loop-base"],
  ["memory-backend-ram", "memory-backend"],
  ["memory-backend-file", "memory-backend"],
  ["memory-backend-memfd", "memory-backend"],
  ["memory-backend-shm", "memory-backend"],
  ["rng-builtin", "rng-backend"],
  ["rng-egd", "rng-backend"],
  ["rng-random", "rng-backend"],
  ["secret", "secret_common"],
  ["secret_keyring", "secret_common"],
  ["tls-creds-anon", "tls-creds"],
  ["tls-creds-psk", "tls-creds"],
  ["tls-creds-x509", "tls-creds"],
  ["tls-cipher-suites", "tls-creds"],
  ["authz-list", "object"],
  ["authz-list-file", "object"],
  ["authz-simple", "object"],
  ["cryptodev-backend-builtin", "object"],
  ["cryptodev-vhost-user", "object"],
  ["dbus-vmstate", "object"],
  ["filter-buffer", "object"],
  ["filter-dump", "object"],
  ["filter-mirror", "object"],
  ["filter-redirector", "object"],
  ["filter-replay", "object"],
  ["filter-rewriter", "object"],
  ["colo-compare", "object"],
  ["input-linux", "object"],
  ["pr-manager-helper", "object"],
  ["qtest", "object"],
  ["s390-pv-guest", "object"],
  ["thread-context", "object"],
  ["throttle-group", "object"],
  ["kvm-accel", "accel"],
  ["tcg-accel", "accel"],
  ["chardev-null", "chardev"],
  ["chardev-socket", "chardev"],
  ["chardev-stdio", "chardev"],
  ["chardev-file", "chardev"],
  ["chardev-pipe", "chardev"],
  ["chardev-pty", "chardev"],
  ["chardev-ringbuf", "chardev"],
  ["chardev-udp", "chardev"],
  ["chardev-vc", "chardev"],
  ["chardev-mux", "chardev"],
  ["chardev-hub", "chardev"],
];

/** What -object makes, in the order of its help. */
const notUserCreatable = new Set(["container", "kvm-accel", "tcg-accel"]);
export const userObjectTypes: readonly string[] = concreteTypes
  .filter(([name, parent]) => !parent.endsWith("bus") && !parent.endsWith("device") && parent !== "chardev" && !notUserCreatable.has(name))
  .map(([name]) => name)
  .sort();

const cpuNames = ["host", "max", "qemu", ...cpuDefinitionList.flatMap(({ name }) => [`${name}-base`, name])];

export const qomTypes: readonly QomType[] = [
  { name: "object", isAbstract: true, properties: [property("type", "string")] },
  { name: "device", parent: "object", isAbstract: true, properties: deviceProperties },
  { name: "bus", parent: "object", isAbstract: true, properties: busProperties },
  { name: "machine", parent: "object", isAbstract: true, properties: machineProperties },
  { name: "s390-ccw-machine", parent: "machine", isAbstract: true, properties: s390MachineProperties },
  { name: "cpu", parent: "device", isAbstract: true },
  { name: "s390x-cpu", parent: "cpu", isAbstract: true },
  ...abstractTypes.map(([name, parent]) => ({ name, parent, isAbstract: true })),
  ...concreteTypes.map(([name, parent]) => ({ name, parent })),
  ...machineTypes.map(({ name, isEmpty }) => ({ name: machineTypeName(name), parent: isEmpty ? "machine" : "s390-ccw-machine" })),
  ...cpuNames.map((name) => ({ name: cpuTypeName(name), parent: "s390x-cpu", properties: cpuProperties })),
  ...deviceTypes.map(({ name, parent, isAbstract = false, properties = [] }) => ({ name, parent, isAbstract, properties })),
];

const byName = new Map(qomTypes.map((type) => [type.name, type]));

export const qomType = (name: string): QomType | undefined => byName.get(name);

/** The type itself first, `object` last. */
export function lineage(name: string): QomType[] {
  const type = byName.get(name);
  if (!type) return [];
  return [type, ...(type.parent === undefined ? [] : lineage(type.parent))];
}

export const isOfType = (name: string, ancestor: string): boolean => lineage(name).some((type) => type.name === ancestor);

/** All properties of a type's class, those of its oldest ancestor first. */
export const classProperties = (name: string): PropertyRecord[] =>
  lineage(name)
    .reverse()
    .flatMap(({ properties = [] }) => properties);
