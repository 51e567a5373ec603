import { QemuError } from "../qemu-error.ts";
import { vfioName } from "./vfio-name.ts";

/** The path of its bus and the name of its state. */
export const vmstateId = "/1/vfio-ap";

/** What forbids a migration: as query-migrate lists it, and as migrate refuses. */
export interface MigrationBlocker {
  readonly reason: string;
  readonly refusal: string;
}

/** Values of `enable-migration`. */
export type EnableMigration = "on" | "off" | "auto";

/**
 * What a vfio-ap device has against a migration. With a kernel that can migrate it: nothing, unless it was switched off. With one that
 * cannot it is what it is in QEMU 10.2.2, a device that does not migrate; who insists is refused. QemuError. Source of texts:
 * hw/vfio/migration.c vfio_migration_realize, and the series that lets vfio-ap call it.
 */
export function migrationBlocker(sysfsdev: string, enable: EnableMigration, isMigratable: boolean): MigrationBlocker | undefined {
  const name = vfioName(sysfsdev);
  if (enable === "off") return blockedBy(`${name}: Migration is disabled for VFIO device`);
  if (isMigratable) return undefined;
  if (enable === "on") throw new QemuError(`vfio ${name}: ${name}: VFIO migration is not supported in kernel`);
  return { reason: `non-migratable device: ${vmstateId}`, refusal: `State blocked by non-migratable device '${vmstateId}'` };
}

/** Why -only-migratable does not take a device that never migrates. */
export const onlyMigratableRefusal = (): QemuError =>
  new QemuError("Device vfio-ap is not migratable, but --only-migratable was specified");

/** Why it does not take one that could, and is not to. */
export const onlyMigratableAddition = (sysfsdev: string, { refusal }: MigrationBlocker): QemuError =>
  new QemuError(`vfio ${vfioName(sysfsdev)}: disallowing migration blocker (--only-migratable) for: ${refusal}`);

const blockedBy = (text: string): MigrationBlocker => ({ reason: text, refusal: text });
