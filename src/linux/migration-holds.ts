import { adapterName, apqn, apqnName, domainName } from "../ap/apqn.ts";
import type { Mask } from "../ap/mask.ts";
import type { ApMasks } from "../kvm/crycb.ts";
import { fail } from "../sysfs/errno.ts";
import { type KernelLog, Level } from "./kernel-log.ts";

/**
 * What must stay as it is on this host while a guest comes or goes. No kernel has this: the document leaves it to whoever moves a guest, and
 * that is who holds and lets go here. Every refusal has a line in the kernel's log.
 */
export interface MigrationHold {
  readonly guest: string;
  readonly uuid: string;
  /** What the guest has at the source. */
  readonly matrix: ApMasks;
}

export class MigrationHolds {
  readonly #holds = new Set<MigrationHold>();

  constructor(private readonly log: KernelLog) {}

  /** The result lets go. */
  hold(hold: MigrationHold): () => void {
    this.#holds.add(hold);
    return () => this.#holds.delete(hold);
  }

  /** EBUSY: a write to apmask or aqmask would change whose the adapters or domains of a guest are. */
  refuseMask(which: "adapters" | "domains", changed: Mask): void {
    for (const { guest, matrix } of this.#holds) {
      const held = changed.and(which === "adapters" ? matrix.adapters : matrix.usageDomains);
      if (held.isEmpty) continue;
      const [attribute, what] =
        which === "adapters" ? ["apmask", `adapter ${adapterName(held.first)}`] : ["aqmask", `domain ${domainName(held.first)}`];
      this.#refuse(`${attribute}: ${what}`, guest);
    }
  }

  /** EBUSY: another matrix for the mediated device that moves, or a queue of it for another one. */
  refuseMatrix(uuid: string, before: ApMasks, after: ApMasks): void {
    for (const { guest, matrix, uuid: own } of this.#holds) {
      if (uuid === own) this.#refuse(`vfio_ap_mdev ${uuid}: its matrix`, guest);
      const taken = firstQueue(matrix, after);
      if (taken !== undefined && firstQueue(matrix, before) === undefined)
        this.#refuse(`vfio_ap_mdev ${uuid}: queue ${apqnName(taken)}`, guest);
    }
  }

  /** Whether the master keys of a domain stay as they are; then with a line. */
  refusesKeys(adapter: number, domain: number): boolean {
    for (const { guest, matrix } of this.#holds) {
      if (!matrix.adapters.has(adapter) || !(matrix.usageDomains.has(domain) || matrix.controlDomains.has(domain))) continue;
      this.#tell(`master keys of ${apqnName(apqn(adapter, domain))}`, guest);
      return true;
    }
    return false;
  }

  #refuse(what: string, guest: string): never {
    this.#tell(what, guest);
    return fail("EBUSY");
  }

  #tell(what: string, guest: string): void {
    this.log.write(Level.warning, `adjunct: ${what} cannot change while guest ${guest} migrates`);
  }
}

/** The first queue that both have. */
function firstQueue(left: ApMasks, right: ApMasks): number | undefined {
  const [adapters, domains] = [left.adapters.and(right.adapters), left.usageDomains.and(right.usageDomains)];
  return adapters.isEmpty || domains.isEmpty ? undefined : apqn(adapters.first, domains.first);
}
