import type { GenerationName } from "../linux/generation.ts";
import type { AdapterProfile } from "../machine/adapter-profile.ts";
import type { MachineProfile } from "../machine/lpar.ts";
import type { MachineModelName } from "./machine-model.ts";

/**
 * One host as plain JSON: what a configuration file says, checked, numbers as numbers, defaults filled in.
 * `configuration-file.ts` makes it from YAML; a host is made from nothing else.
 */
export interface HostConfiguration {
  readonly name: string;
  readonly kernel: GenerationName;
  /** The kernel command line; only `ap.` parameters have an effect. */
  readonly cmdline: string;
  /** Modules that are loaded at start, in this order. */
  readonly modules: readonly string[];
  readonly machine: MachineConfiguration;
  /** Written to the bus's attribute at start, as an administrator would; undefined: not written. */
  readonly apmask?: string;
  readonly aqmask?: string;
  /** Texts of attributes, see AttributeText; applied after the masks and before the mediated devices. */
  readonly attributes: readonly AttributeText[];
  readonly mdevs: readonly MediatedDeviceConfiguration[];
  readonly guests: readonly GuestConfiguration[];
}

export interface MachineConfiguration {
  readonly model: MachineModelName;
  readonly facilities: MachineProfile["facilities"];
  readonly qact: boolean;
  readonly rc8a: boolean;
  readonly apsb: boolean;
  readonly maxAdapter: number;
  readonly maxDomain: number;
  /** Whether Linux hears at once of changed hardware; else at its next scan. */
  readonly announcesChanges: boolean;
  /** How long a queue's reset takes, in milliseconds; 0: it is done at once. */
  readonly resetMs: number;
  /** `test`: domains without a master key get the test key at start. */
  readonly masterKeys: "none" | "test";
  /** Ascending by id. */
  readonly adapters: readonly AdapterConfiguration[];
  /** Ascending. */
  readonly usageDomains: readonly number[];
  /** Ascending. */
  readonly controlDomains: readonly number[];
}

export interface AdapterConfiguration {
  readonly id: number;
  readonly profile: AdapterProfile;
  readonly isConfigured: boolean;
  readonly isCheckstopped: boolean;
}

/**
 * One attribute of a recorded host. A path that starts at /sys: what can be written is written at start, what is read-only
 * (a serial number, a master key's pattern) is shown as it was recorded, wherever the attribute exists.
 */
export interface AttributeText {
  readonly path: string;
  readonly text: string;
}

export interface MediatedDeviceConfiguration {
  readonly uuid: string;
  readonly adapters: readonly number[];
  readonly domains: readonly number[];
  readonly controlDomains: readonly number[];
}

export interface GuestConfiguration {
  readonly name: string;
  /** QEMU's -cpu option. */
  readonly cpu: string;
  /** The mediated device it has from the start. */
  readonly mdev?: string;
  /** What a real guest boots; a model guest has none. */
  readonly boot?: GuestBoot;
}

/** What stock QEMU is given to boot; at least one of `linux`, `kernel` and `disk`. Paths are absolute. */
export interface GuestBoot {
  /** An image that `adjunct guest fetch` builds; kernel and initrd are its, unless given. */
  readonly linux?: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly disk?: string;
  readonly memoryMib: number;
  readonly cpus: number;
}
