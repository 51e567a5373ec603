import { domainName } from "../../ap/apqn.ts";
import type { Mask } from "../../ap/mask.ts";
import type { ApMasks } from "../../kvm/crycb.ts";
import { type Attribute, type AttributeTable, attributeTable, readOnly, readWrite, writeOnly } from "../../sysfs/attribute.ts";
import { Errno, fail } from "../../sysfs/errno.ts";
import type { Wait } from "../../sysfs/wait.ts";
import type { Generation } from "../generation.ts";
import { parseHexMask } from "../text/mask-text.ts";
import { parseUnsigned } from "../text/numbers.ts";
import type { Job } from "../time/work-queue.ts";
import { assign, assignControlDomain, configure, type UsageDimension, unassign, unassignControlDomain } from "./assign.ts";
import { type MatrixMdev, masksEqual, withMask } from "./matrix-mdev.ts";
import { matrixText } from "./matrix-text.ts";
import { assignStatically, refuseWhileRunning, unassignStatically } from "./static-assign.ts";
import type { VfioAp } from "./vfio-ap.ts";

/** The files of a mediated matrix device. Source: Linux drivers/s390/crypto/vfio_ap_ops.c. */
interface Owner {
  readonly driver: VfioAp;
  readonly matrixMdev: MatrixMdev;
}

/** Only so many characters of ap_config are looked at: three masks with their separators. */
const configurationCharacters = 201;

export function matrixAttributes(generation: Generation): AttributeTable<Owner> {
  const changes = generation.isDynamic ? dynamicChanges : staticChanges;
  return attributeTable<Owner>(
    change("assign_adapter", "adapter", (owner, id) => changes.assign(owner, "adapters", id)),
    change("unassign_adapter", "adapter", (owner, id) => changes.unassign(owner, "adapters", id)),
    change("assign_domain", "domain", (owner, id) => changes.assign(owner, "usageDomains", id)),
    change("unassign_domain", "domain", (owner, id) => changes.unassign(owner, "usageDomains", id)),
    change("assign_control_domain", "domain", changes.assignControlDomain),
    change("unassign_control_domain", "domain", changes.unassignControlDomain),
    readOnly("control_domains", ({ matrixMdev }) => controlDomainsText(matrixMdev.matrix.controlDomains)),
    readOnly("matrix", ({ matrixMdev }) => matrixText(matrixMdev.matrix.adapters, matrixMdev.matrix.usageDomains)),
    generation.isDynamic &&
      readOnly("guest_matrix", ({ matrixMdev }) => matrixText(matrixMdev.guestMatrix.adapters, matrixMdev.guestMatrix.usageDomains)),
    generation.hasApConfig && readWrite("ap_config", ({ matrixMdev }) => configurationText(matrixMdev.matrix), storeConfiguration),
  );
}

/** Whoever takes queues for a device keeps the masks as they are meanwhile. */
export const holdBoth = (driver: VfioAp, body: () => Job<void>): Job<void> => driver.bus.attributeLock.hold(() => driver.lock.hold(body));

type Change = (owner: Owner, id: number) => Job<void>;

/** A write-only file that takes one number: EBUSY first where a running guest forbids changes, EINVAL, ERANGE, then ENODEV above the maximum. */
function change(name: string, limit: "adapter" | "domain", act: Change): Attribute<Owner> {
  return writeOnly(name, (owner, text): void | Wait<void> => {
    const { driver, matrixMdev } = owner;
    return driver.bus.work.run(
      driver.lock.hold(function* () {
        if (!driver.generation.isDynamic) refuseWhileRunning(matrixMdev);
        const id = parseUnsigned(text);
        if (id > BigInt(matrixMdev.limits[limit])) fail("ENODEV");
        yield* act(owner, Number(id));
      }),
    );
  });
}

const dynamicChanges = {
  assign(owner: Owner, which: UsageDimension, id: number) {
    refuseHeld(owner, which, owner.matrixMdev.matrix[which].with(id));
    return assign(owner.driver, owner.matrixMdev, which, id);
  },
  unassign(owner: Owner, which: UsageDimension, id: number) {
    refuseHeld(owner, which, owner.matrixMdev.matrix[which].without(id));
    return unassign(owner.driver, owner.matrixMdev, which, id);
  },
  assignControlDomain(owner: Owner, id: number) {
    refuseHeld(owner, "controlDomains", owner.matrixMdev.matrix.controlDomains.with(id));
    return assignControlDomain(owner.driver, owner.matrixMdev, id);
  },
  unassignControlDomain(owner: Owner, id: number) {
    refuseHeld(owner, "controlDomains", owner.matrixMdev.matrix.controlDomains.without(id));
    return unassignControlDomain(owner.driver, owner.matrixMdev, id);
  },
};

/** EBUSY. */
function refuseHeld(owner: Owner, which: keyof ApMasks, mask: Mask): void {
  refuseHeldMatrix(owner, withMask(owner.matrixMdev.matrix, which, mask));
}

/** EBUSY. */
function refuseHeldMatrix({ driver, matrixMdev: { uuid, matrix } }: Owner, after: ApMasks): void {
  if (!masksEqual(matrix, after)) driver.bus.holds.refuseMatrix(uuid, matrix, after);
}

const staticChanges: typeof dynamicChanges = {
  *assign({ driver, matrixMdev }, which, id) {
    assignStatically(driver, matrixMdev, which, id);
  },
  *unassign({ driver, matrixMdev }, which, id) {
    unassignStatically(driver, matrixMdev, which, id);
  },
  *assignControlDomain({ matrixMdev }, id) {
    matrixMdev.matrix = withMask(matrixMdev.matrix, "controlDomains", matrixMdev.matrix.controlDomains.with(id));
    matrixMdev.matrixChanged();
  },
  *unassignControlDomain({ matrixMdev }, id) {
    matrixMdev.matrix = withMask(matrixMdev.matrix, "controlDomains", matrixMdev.matrix.controlDomains.without(id));
    matrixMdev.matrixChanged();
  },
};

const controlDomainsText = (domains: Mask): string => [...domains].map((domain) => `${domainName(domain)}\n`).join("");

const configurationText = ({ adapters, usageDomains, controlDomains }: ApMasks): string =>
  `${adapters},${usageDomains},${controlDomains}\n`;

function storeConfiguration(owner: Owner, text: string): void | Wait<void> {
  const { driver, matrixMdev } = owner;
  return driver.bus.work.run(
    holdBoth(driver, function* () {
      const parts = text.slice(0, configurationCharacters).split(/[,\n]/);
      if (parts.length < 3) fail("EINVAL");
      const [adapters, usageDomains, controlDomains] = parts.slice(0, 3).map((part) => parseHexMask(part));
      if (!adapters || !usageDomains || !controlDomains) throw new Errno("EINVAL");
      const wanted = { adapters, usageDomains, controlDomains };
      refuseHeldMatrix(owner, wanted);
      yield* configure(driver, matrixMdev, wanted);
    }),
  );
}
