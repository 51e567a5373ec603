import { type Apqn, adapterOf, apqn, domainOf } from "../ap/apqn.ts";
import { Mask } from "../ap/mask.ts";
import type { PlatformEvents } from "../ap/platform.ts";
import type { QciBlock } from "../ap/qci.ts";
import { ResponseCode } from "../ap/status.ts";
import type { AdapterProfile } from "./adapter-profile.ts";
import { Queue } from "./queue.ts";

/**
 * What one LPAR has of AP: adapters, usage and control domains, queues, and what the HMC does to them. The instructions are
 * in machine.ts; nothing above the machine reads these fields.
 */
export interface MachineProfile {
  readonly facilities: {
    readonly ap: boolean;
    readonly qci: boolean;
    readonly apft: boolean;
    readonly apqi: boolean;
    readonly apxa: boolean;
  };
  /** Further flags of the QCI block. APSC is on with QCI. */
  readonly qact: boolean;
  readonly rc8a: boolean;
  readonly apsb: boolean;
  readonly maxAdapter: number;
  readonly maxDomain: number;
  /** How long a reset of a queue takes, in milliseconds of the clock; 0: it is done at once. */
  readonly resetDurationMs: number;
  /** Whether a change of the configuration is announced to the operating system (CHSC) or only found by its scans. */
  readonly announcesChanges: boolean;
}

export const fullMachine: MachineProfile = {
  facilities: { ap: true, qci: true, apft: true, apqi: true, apxa: true },
  qact: false,
  rc8a: false,
  apsb: false,
  maxAdapter: 255,
  maxDomain: 255,
  resetDurationMs: 0,
  announcesChanges: true,
};

interface Adapter {
  readonly profile: AdapterProfile;
  isConfigured: boolean;
}

export class Lpar {
  #adapters = new Map<number, Adapter>();
  #checkstopped = Mask.none;
  #usageDomains = Mask.none;
  #controlDomains = Mask.none;
  #queues = new Map<Apqn, Queue>();
  protected readonly listeners: PlatformEvents[] = [];

  constructor(
    readonly profile: MachineProfile,
    readonly nowMs: () => number,
  ) {}

  /** Installs an adapter, configured; replaces what was there. Its checkstop state stays as last set for that id. */
  addAdapter(id: number, profile: AdapterProfile): void {
    this.#dropQueuesOf(id);
    this.#adapters.set(id, { profile, isConfigured: true });
    this.#announce();
  }

  removeAdapter(id: number): void {
    if (!this.#adapters.delete(id)) return;
    this.#dropQueuesOf(id);
    this.#announce();
  }

  setConfigured(id: number, isConfigured: boolean): void {
    const adapter = this.#adapters.get(id);
    if (!adapter || adapter.isConfigured === isConfigured) return;
    adapter.isConfigured = isConfigured;
    if (!isConfigured) this.#dropQueuesOf(id);
    this.#announce();
  }

  setCheckstop(id: number, isCheckstopped: boolean): void {
    if (this.#checkstopped.has(id) === isCheckstopped) return;
    this.#checkstopped = isCheckstopped ? this.#checkstopped.with(id) : this.#checkstopped.without(id);
    if (isCheckstopped) this.#dropQueuesOf(id);
    this.#announce();
  }

  setUsageDomain(id: number, isAssigned: boolean): void {
    if (this.#usageDomains.has(id) === isAssigned) return;
    this.#usageDomains = isAssigned ? this.#usageDomains.with(id) : this.#usageDomains.without(id);
    if (!isAssigned) for (const adapter of this.#adapters.keys()) this.#dropQueue(apqn(adapter, id));
    this.#announce();
  }

  setControlDomain(id: number, isAssigned: boolean): void {
    if (this.#controlDomains.has(id) === isAssigned) return;
    this.#controlDomains = isAssigned ? this.#controlDomains.with(id) : this.#controlDomains.without(id);
    this.#announce();
  }

  get adapters(): ReadonlyMap<
    number,
    { readonly profile: AdapterProfile; readonly isConfigured: boolean; readonly isCheckstopped: boolean }
  > {
    return new Map(
      [...this.#adapters].map(([id, { profile, isConfigured }]) => [
        id,
        { profile, isConfigured, isCheckstopped: this.#checkstopped.has(id) },
      ]),
    );
  }

  get domains(): { readonly usage: Mask; readonly control: Mask } {
    return { usage: this.#usageDomains, control: this.#controlDomains };
  }

  /** Response code 00, 01 not in the configuration, 02 being reset, 03 deconfigured, 04 checkstopped. */
  protected availability(queue: Apqn): number {
    const adapter = this.#adapters.get(adapterOf(queue));
    if (!adapter || !this.#usageDomains.has(domainOf(queue)) || domainOf(queue) > adapter.profile.maxDomain)
      return ResponseCode.queueNotAvailable;
    if (!adapter.isConfigured) return ResponseCode.deconfigured;
    if (this.#checkstopped.has(adapterOf(queue))) return ResponseCode.checkstopped;
    if (this.#queues.get(queue)?.isResetting(this.nowMs())) return ResponseCode.resetInProgress;
    return ResponseCode.normal;
  }

  protected adapterProfile(id: number): AdapterProfile | undefined {
    return this.#adapters.get(id)?.profile;
  }

  /** A queue's contents and state, if it was ever used. */
  protected usedQueue(queue: Apqn): Queue | undefined {
    return this.#queues.get(queue);
  }

  /** A queue that is available. */
  protected queue(queue: Apqn): Queue {
    const known = this.#queues.get(queue);
    if (known) return known;
    const made = new Queue(this.adapterProfile(adapterOf(queue))?.depth ?? 0);
    this.#queues.set(queue, made);
    return made;
  }

  protected get configuration(): QciBlock {
    const { facilities, qact, rc8a, apsb, maxAdapter, maxDomain } = this.profile;
    return {
      apsc: true,
      apxa: facilities.apxa,
      qact,
      rc8a,
      apsb,
      maxAdapter: facilities.apxa ? maxAdapter : 0,
      maxDomain: facilities.apxa ? maxDomain : 0,
      adapters: Mask.from(this.#adapters.keys()),
      usageDomains: this.#usageDomains,
      controlDomains: this.#controlDomains,
    };
  }

  #dropQueuesOf(adapter: number): void {
    for (const domain of this.#usageDomains) this.#dropQueue(apqn(adapter, domain));
  }

  /** What was in the queue is gone, and a late reply to it finds nobody. */
  #dropQueue(queue: Apqn): void {
    this.#queues.get(queue)?.reset(this.nowMs(), 0);
    this.#queues.delete(queue);
  }

  #announce(): void {
    if (this.profile.announcesChanges) for (const listener of this.listeners) listener.configurationChanged?.();
  }
}
