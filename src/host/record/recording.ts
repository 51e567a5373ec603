import type { GenerationName } from "../../linux/generation.ts";

/** What a recording holds: the parts of a configuration file that a /sys shows. scripts/record-ap.sh writes the same text. */
export interface Recording {
  readonly name: string;
  /** What `uname -r` said; only a remark. */
  readonly release: string;
  readonly kernel: GenerationName;
  readonly cmdline: string;
  readonly modules: readonly string[];
  readonly facilities: readonly string[];
  readonly maxAdapter: number | undefined;
  readonly maxDomain: number | undefined;
  readonly adapters: readonly RecordedAdapter[];
  readonly usageDomains: readonly number[];
  readonly controlDomains: readonly number[];
  readonly apmask: string | undefined;
  readonly aqmask: string | undefined;
  /** By path from /sys; what was read or, for `bind` and `unbind`, the names to write. */
  readonly attributes: readonly { readonly path: string; readonly texts: readonly string[] }[];
  readonly mdevs: readonly RecordedMdev[];
}

export interface RecordedAdapter {
  readonly id: number;
  readonly type: string;
  /** The type byte where it is not the one that the type's name stands for. */
  readonly rawType: number | undefined;
  /** As `ap_functions` prints it. */
  readonly functions: string | undefined;
  readonly depth: number | undefined;
  readonly messageLimit: number | undefined;
  readonly isConfigured: boolean;
  readonly isCheckstopped: boolean;
}

export interface RecordedMdev {
  readonly uuid: string;
  readonly adapters: readonly number[];
  readonly domains: readonly number[];
  readonly controlDomains: readonly number[];
  readonly isInUse: boolean;
}

/** The numbers of the bits that are set in a mask's text, bit 0 leftmost. */
export function bitsOf(mask: string | undefined): number[] {
  const bits: number[] = [];
  for (const [index, digit] of [...(mask ?? "").replace(/^0x/, "")].entries()) {
    const value = Number.parseInt(digit, 16);
    for (let bit = 0; bit < 4; bit++) if (value & (8 >> bit)) bits.push(4 * index + bit);
  }
  return bits;
}
