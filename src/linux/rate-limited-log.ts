import { type KernelLog, Level } from "./kernel-log.ts";

/**
 * Lines of which the kernel writes only so many: ten in five seconds for each place in its source, then the rest are counted, and the count
 * is told with the first line that is written again. Source: Linux include/linux/ratelimit_types.h, lib/ratelimit.c.
 */
const intervalMs = 5000;
const burst = 10;

/** A place in the kernel's source that writes a line; each object counts for itself. */
export interface CallSite {
  /** The function that it is in. */
  readonly caller: string;
}

interface Interval {
  beginMs: number;
  left: number;
  suppressed: number;
}

export class RateLimitedLog {
  readonly #intervals = new Map<CallSite, Interval>();

  constructor(
    private readonly log: KernelLog,
    private readonly nowMs: () => number,
  ) {}

  write(site: CallSite, level: number, text: string): void {
    const interval = this.#current(site);
    if (interval.left > 0) {
      interval.left--;
      this.log.write(level, text);
    } else interval.suppressed++;
  }

  #current(site: CallSite): Interval {
    const nowMs = this.nowMs();
    const last = this.#intervals.get(site);
    if (last && nowMs <= last.beginMs + intervalMs) return last;
    if (last && last.suppressed > 0) this.log.write(Level.warning, `${site.caller}: ${last.suppressed} callbacks suppressed`);
    const next = { beginMs: nowMs, left: burst, suppressed: 0 };
    this.#intervals.set(site, next);
    return next;
  }
}
