import type { Directory } from "../../sysfs/node.ts";
import type { Job } from "../time/work-queue.ts";
import type { Device } from "./device.ts";

/** A driver of a bus. `probe` and `remove` run as jobs: they may sleep. A probe that refuses throws Errno. */
export interface Driver {
  readonly name: string;
  /** The bus's match for this driver. */
  matches(device: Device): boolean;
  probe(device: Device): Job<void>;
  remove(device: Device): Job<void>;
  /** `bind` and `unbind` are not offered. */
  readonly suppressesBind?: boolean;
  /** The module it came from, when `module` links to it. */
  readonly module?: Directory | undefined;
}
