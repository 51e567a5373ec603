/**
 * What each imitated kernel does, in one table. Everything else is one code path. Facts: Linux sources and the recorded
 * answers of 7.2, 6.12 and 6.1; 6.0 and 4.20 from their sources and documents; 7.2-migration from the patch series of 2026.
 */
export const generationNames = ["4.20", "6.0", "6.1", "6.12", "7.2", "7.2-migration"] as const;
export type GenerationName = (typeof generationNames)[number];

export interface Generation {
  readonly name: GenerationName;
  /** What `uname -r` would say. */
  readonly release: string;
  /** A mediated device can change while a guest uses it, is filtered, and shows guest_matrix. */
  readonly isDynamic: boolean;
  /** Whether vfio_ap is asked before a queue goes to the host's drivers, and about which queues. */
  readonly inUseCheck: "none" | "other-mask" | "all-ones";
  /** `remove` of a mediated device in use: fails with EBUSY, or blocks until it is free. */
  readonly removeInUse: "fails" | "blocks";
  readonly conflictTexts: "older" | "newer";
  readonly hasDriverOverride: boolean;
  readonly hasBindingsCompleteCount: boolean;
  /** `features` of the AP bus. */
  readonly hasBusFeatures: boolean;
  /** `features` of the matrix device; the words it shows. */
  readonly matrixFeatures: readonly string[];
  readonly hasApConfig: boolean;
  /** VFIO migration of a mediated device. */
  readonly isMigratable: boolean;
  /** Interrupts of a vfio-ap device: none, that it is wanted back, and also that the guest's configuration changed. */
  readonly vfioIrqs: 0 | 1 | 2;
  /** ap_adapter_mask, ap_max_adapter_id, scans, bindings; config, chkstop and max_msg_size; the bus knows deconfigured and checkstopped adapters. */
  readonly knowsConfiguration: boolean;
  readonly hasQueueFunctions: boolean;
  readonly hasQueueStatus: boolean;
  /** `depth` prints the number of messages, not the TAPQ field. */
  readonly depthIsCount: boolean;
  /** `online` shows 0 for a checkstopped adapter. */
  readonly onlineNeedsNoCheckstop: boolean;
  /** `interrupt` prints what the driver remembers, not what the queue says. */
  readonly remembersInterrupt: boolean;
  readonly pollTimeoutMayBeZero: boolean;
  /** Drivers for adapters older than CEX4: none, or these names. */
  readonly oldDrivers: "none" | "cex2a+cex2c" | "cex2a+pcixcc";
  /** Keys of an AP device's uevent besides DEVTYPE. */
  readonly hasModeInUevent: boolean;
  readonly mdevDriver: "vfio_ap_mdev" | "vfio_mdev";
  readonly hasVfioDeviceClass: boolean;
  readonly mdevDriverHasModuleLink: boolean;
  readonly apParameterMode: number;
  readonly hasMessagePoolParameter: boolean;
  readonly zcryptParameter: "hwrng_seed" | "mempool_threshold" | undefined;
  /** The errno when no instance is left. */
  readonly noInstanceLeft: "EPERM" | "EUSERS";
  /** Queues leaving a guest's matrix are reset in the order they left, not in that of a hash table. */
  readonly resetsInOrder: boolean;
  /** Adapters that are filtered out of a guest's matrix get all their queues reset; before, only a queue that leaves vfio_ap was. */
  readonly resetsFilteredAdapters: boolean;
  /** A queue that could not be reset because its adapter is deconfigured or checkstopped may still go to a guest. */
  readonly passesUnreachableQueues: boolean;
  /** A new queue is reset by the bus whatever its driver is, not only by the host's drivers. */
  readonly busStartsQueues: boolean;
  /** Which flags survive in the functions word of a card: the stateless filtering bit was dropped once. */
  readonly cardFunctionsMask: number;
  readonly acceptsTrueFalseLetters: boolean;
  /** Adapter types it knows; an older one gets no device, a newer one what QACT maps it to. */
  readonly oldestType: number;
  readonly newestType: number;
}

const newest: Generation = {
  name: "7.2",
  release: "7.2.0",
  isDynamic: true,
  inUseCheck: "all-ones",
  removeInUse: "blocks",
  conflictTexts: "newer",
  hasDriverOverride: true,
  hasBindingsCompleteCount: true,
  hasBusFeatures: true,
  matrixFeatures: ["guest_matrix", "hotplug", "ap_config"],
  hasApConfig: true,
  isMigratable: false,
  vfioIrqs: 2,
  knowsConfiguration: true,
  hasQueueFunctions: true,
  hasQueueStatus: true,
  depthIsCount: true,
  onlineNeedsNoCheckstop: true,
  remembersInterrupt: false,
  pollTimeoutMayBeZero: true,
  oldDrivers: "none",
  hasModeInUevent: true,
  mdevDriver: "vfio_ap_mdev",
  hasVfioDeviceClass: true,
  mdevDriverHasModuleLink: true,
  apParameterMode: 0o444,
  hasMessagePoolParameter: true,
  zcryptParameter: "mempool_threshold",
  noInstanceLeft: "EUSERS",
  resetsInOrder: true,
  resetsFilteredAdapters: true,
  passesUnreachableQueues: true,
  busStartsQueues: true,
  cardFunctionsMask: 0xffff0000,
  acceptsTrueFalseLetters: true,
  oldestType: 10,
  newestType: 14,
};

const migration: Generation = {
  ...newest,
  name: "7.2-migration",
  release: "7.2.0-migration",
  matrixFeatures: [...newest.matrixFeatures, "migratable"],
  isMigratable: true,
};

const linux612: Generation = {
  ...newest,
  name: "6.12",
  release: "6.12.0",
  inUseCheck: "other-mask",
  hasDriverOverride: false,
  hasBindingsCompleteCount: false,
  vfioIrqs: 1,
  apParameterMode: 0o440,
  hasMessagePoolParameter: false,
  zcryptParameter: undefined,
};

const linux61: Generation = {
  ...linux612,
  name: "6.1",
  release: "6.1.0",
  vfioIrqs: 0,
  hasBusFeatures: false,
  matrixFeatures: [],
  hasApConfig: false,
  hasQueueFunctions: false,
  depthIsCount: false,
  onlineNeedsNoCheckstop: false,
  remembersInterrupt: true,
  pollTimeoutMayBeZero: false,
  oldDrivers: "cex2a+cex2c",
  mdevDriverHasModuleLink: false,
  zcryptParameter: "hwrng_seed",
  resetsInOrder: false,
  resetsFilteredAdapters: false,
  passesUnreachableQueues: false,
  busStartsQueues: false,
  cardFunctionsMask: 0xfeff0000,
  acceptsTrueFalseLetters: false,
  oldestType: 6,
};

const linux60: Generation = {
  ...linux61,
  name: "6.0",
  release: "6.0.0",
  conflictTexts: "older",
  hasQueueStatus: false,
  noInstanceLeft: "EPERM",
};

const linux420: Generation = {
  ...linux60,
  name: "4.20",
  release: "4.20.0",
  isDynamic: false,
  inUseCheck: "none",
  removeInUse: "fails",
  knowsConfiguration: false,
  oldDrivers: "cex2a+pcixcc",
  hasModeInUevent: false,
  mdevDriver: "vfio_mdev",
  newestType: 12,
  hasVfioDeviceClass: false,
};

const generations: Record<GenerationName, Generation> = {
  "4.20": linux420,
  "6.0": linux60,
  "6.1": linux61,
  "6.12": linux612,
  "7.2": newest,
  "7.2-migration": migration,
};

export const generation = (name: GenerationName): Generation => generations[name];
