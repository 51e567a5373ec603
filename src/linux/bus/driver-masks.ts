import { Mask } from "../../ap/mask.ts";
import { Errno } from "../../sysfs/errno.ts";
import { parseMask } from "../text/mask-text.ts";

/**
 * Who gets a queue: apmask and aqmask, and the overrides that exclude them. A queue is the host's own if and only if both bits
 * are set. Source: Linux drivers/s390/crypto/ap_bus.c (ap_perms).
 */
export class DriverMasks {
  adapters: Mask;
  domains: Mask;
  /** How many queues have a driver_override. */
  overrides = 0;
  /** Whether a write made a mask other than all ones: then no override is taken. */
  areInUse = false;

  constructor(adapterParameter: string | undefined, domainParameter: string | undefined) {
    this.adapters = bootMask(adapterParameter);
    this.domains = bootMask(domainParameter);
  }

  isHostReserved(adapter: number, domain: number): boolean {
    return this.adapters.has(adapter) && this.domains.has(domain);
  }

  noteUse(): void {
    this.areInUse = !this.adapters.equals(Mask.all) || !this.domains.equals(Mask.all);
  }
}

/** All ones without the parameter; with it, the text applied to zero; a text that is no mask leaves zero. */
function bootMask(parameter: string | undefined): Mask {
  if (parameter === undefined) return Mask.all;
  try {
    return parseMask(parameter, Mask.none);
  } catch (error) {
    if (error instanceof Errno) return Mask.none;
    throw error;
  }
}
