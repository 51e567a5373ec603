/** A property as -device TYPE,help and device-list-properties show it. */
export interface PropertyRecord {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
}

export interface DeviceType {
  readonly name: string;
  readonly parent: string;
  /** The kind of bus that it goes on. */
  readonly busType?: string;
  readonly description?: string;
  readonly alias?: string;
  readonly category: DeviceCategory;
  readonly isAbstract?: boolean;
  /** False for what only the machine itself makes. */
  readonly isUserCreatable?: boolean;
  readonly isHotpluggable?: boolean;
  /** Its own properties. Absent for what a model guest has no use for: then every property is taken. */
  readonly properties?: readonly PropertyRecord[];
  /** Taken, but not among what is listed: QEMU 10.2.2 does not have them. */
  readonly laterProperties?: readonly PropertyRecord[];
  /** Buses that it brings along: type and name. */
  readonly buses?: readonly { readonly type: string; readonly name: string }[];
}

/** In the order of `-device help`. */
export const deviceCategories = [
  "Controller/Bridge/Hub",
  "USB",
  "Storage",
  "Network",
  "Input",
  "Display",
  "Sound",
  "Misc",
  "CPU",
  "Watchdog",
  "Uncategorized",
] as const;

export type DeviceCategory = (typeof deviceCategories)[number];

export const vfioApProperties: readonly PropertyRecord[] = [
  { name: "fd", type: "str", description: "Set a vfio cdev file descriptor that is already open" },
  { name: "iommufd", type: "link<iommufd>", description: "Set host IOMMUFD backend device" },
  { name: "sysfsdev", type: "str", description: "Host sysfs path of assigned device" },
];

const css = "virtual-css-bus";

/** Devices for QEMU's virtual channel subsystem: the virtio ones have a back end on a bus of their own. */
const virtioCcw: readonly (readonly [name: string, category: DeviceCategory, alias?: string])[] = [
  ["vhost-scsi-ccw", "Storage"],
  ["vhost-user-fs-ccw", "Storage"],
  ["vhost-vsock-ccw", "Misc"],
  ["virtio-9p-ccw", "Storage", "virtio-9p"],
  ["virtio-balloon-ccw", "Misc", "virtio-balloon"],
  ["virtio-blk-ccw", "Storage", "virtio-blk"],
  ["virtio-crypto-ccw", "Misc"],
  ["virtio-gpu-ccw", "Display", "virtio-gpu"],
  ["virtio-keyboard-ccw", "Input", "virtio-keyboard"],
  ["virtio-mouse-ccw", "Input", "virtio-mouse"],
  ["virtio-net-ccw", "Network", "virtio-net"],
  ["virtio-rng-ccw", "Misc", "virtio-rng"],
  ["virtio-scsi-ccw", "Storage", "virtio-scsi"],
  ["virtio-serial-ccw", "Input", "virtio-serial"],
  ["virtio-tablet-ccw", "Input", "virtio-tablet"],
];

const busesOf: Readonly<Record<string, DeviceType["buses"]>> = {
  "virtio-scsi-ccw": [{ type: "SCSI", name: "scsi" }],
  "virtio-serial-ccw": [{ type: "virtio-serial-bus", name: "virtio-serial-bus" }],
};

const others: readonly DeviceType[] = [
  { name: "ap-bridge", parent: "sys-bus-device", category: "Controller/Bridge/Hub", isUserCreatable: false, properties: [] },
  { name: "ap-device", parent: "device", busType: "ap-bus", category: "Misc", isAbstract: true, properties: [] },
  {
    name: "vfio-ap",
    parent: "ap-device",
    busType: "ap-bus",
    category: "Misc",
    description: "VFIO-based AP device assignment",
    isHotpluggable: true,
    properties: vfioApProperties,
    // Of the series "hw/vfio/ap: live migration", 2026.
    laterProperties: [{ name: "enable-migration", type: "OnOffAuto" }],
  },
  {
    name: "vfio-ccw",
    parent: "s390-ccw",
    busType: css,
    category: "Misc",
    description: "VFIO-based subchannel assignment",
    isHotpluggable: true,
  },
  {
    name: "vfio-pci",
    parent: "vfio-pci-base",
    busType: "PCI",
    category: "Misc",
    description: "VFIO-based PCI device assignment",
    isHotpluggable: true,
  },
  { name: "virtual-css-bridge", parent: "css-bridge", category: "Controller/Bridge/Hub", isUserCreatable: false },
  { name: "s390-pcihost", parent: "pci-host-bridge", category: "Controller/Bridge/Hub", isUserCreatable: false },
  { name: "sclp", parent: "device", category: "Misc", isUserCreatable: false },
  { name: "s390-sclp-event-facility", parent: "sys-bus-device", category: "Misc", isUserCreatable: false },
  { name: "sclpquiesce", parent: "s390-sclp-event-type", busType: "s390-sclp-events-bus", category: "Misc", isUserCreatable: false },
  { name: "sclp-cpu-hotplug", parent: "s390-sclp-event-type", busType: "s390-sclp-events-bus", category: "Misc", isUserCreatable: false },
  { name: "sclpconsole", parent: "s390-sclp-event-type", busType: "s390-sclp-events-bus", category: "Input" },
  { name: "sclplmconsole", parent: "s390-sclp-event-type", busType: "s390-sclp-events-bus", category: "Input" },
  { name: "diag288", parent: "device", category: "Watchdog", description: "IBM z diag288 watchdog" },
  { name: "zpci", parent: "device", busType: "s390-pcibus", category: "Misc", description: "zpci device", isHotpluggable: true },
  { name: "virtio-net-pci", parent: "virtio-pci", busType: "PCI", category: "Network", isHotpluggable: true },
  { name: "virtio-blk-pci", parent: "virtio-pci", busType: "PCI", category: "Storage", isHotpluggable: true },
  {
    name: "virtio-scsi-pci",
    parent: "virtio-pci",
    busType: "PCI",
    category: "Storage",
    isHotpluggable: true,
    buses: [{ type: "SCSI", name: "scsi" }],
  },
  { name: "virtio-serial-pci", parent: "virtio-pci", busType: "PCI", category: "Input", isHotpluggable: true },
  { name: "virtio-rng-pci", parent: "virtio-pci", busType: "PCI", category: "Misc", isHotpluggable: true },
  { name: "virtio-gpu-pci", parent: "virtio-pci", busType: "PCI", category: "Display", isHotpluggable: true },
  { name: "virtio-balloon-pci", parent: "virtio-pci", busType: "PCI", category: "Misc", isHotpluggable: true },
  {
    name: "scsi-hd",
    parent: "scsi-disk-base",
    busType: "SCSI",
    category: "Storage",
    description: "virtual SCSI disk",
    isHotpluggable: true,
  },
  {
    name: "scsi-cd",
    parent: "scsi-disk-base",
    busType: "SCSI",
    category: "Storage",
    description: "virtual SCSI CD-ROM",
    isHotpluggable: true,
  },
  {
    name: "scsi-block",
    parent: "scsi-disk-base",
    busType: "SCSI",
    category: "Storage",
    description: "SCSI block device passthrough",
    isHotpluggable: true,
  },
  {
    name: "scsi-generic",
    parent: "scsi-device",
    busType: "SCSI",
    category: "Storage",
    description: "pass through generic scsi device (/dev/sg*)",
    isHotpluggable: true,
  },
  { name: "virtserialport", parent: "virtio-serial-port", busType: "virtio-serial-bus", category: "Input", isHotpluggable: true },
  { name: "virtconsole", parent: "virtserialport", busType: "virtio-serial-bus", category: "Input", isHotpluggable: true },
  { name: "loader", parent: "device", category: "Misc", description: "Generic Loader" },
  { name: "guest-loader", parent: "device", category: "Misc", description: "Guest Loader" },
];

export const deviceTypes: readonly DeviceType[] = [
  ...others,
  ...virtioCcw.flatMap(([name, category, alias]): DeviceType[] => {
    const backend = `${name.slice(0, -"-ccw".length)}-device`;
    const buses = busesOf[name];
    return [
      { name, parent: "virtio-ccw-device", busType: css, category, isHotpluggable: true, ...(alias && { alias }), ...(buses && { buses }) },
      { name: backend, parent: "virtio-device", busType: "virtio-bus", category, isHotpluggable: true },
    ];
  }),
];

const byName = new Map(
  deviceTypes.flatMap((type) => [type.name, type.alias].filter((name) => name !== undefined).map((name) => [name, type])),
);

/** By its name or its alias. */
export const deviceType = (name: string): DeviceType | undefined => byName.get(name);

/** The name of the back end that a virtio device for the channel subsystem brings along. */
export const virtioBackend = ({ name, parent }: DeviceType): string | undefined =>
  parent === "virtio-ccw-device" ? `${name.slice(0, -"-ccw".length)}-device` : undefined;
