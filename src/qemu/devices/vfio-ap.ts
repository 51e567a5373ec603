import { errnoText } from "../../sysfs/errno-text.ts";
import type { GuestPort, PlugOutcome } from "../guest-port.ts";
import type { Machine } from "../objects/machine.ts";
import { QemuError } from "../qemu-error.ts";
import type { DeviceOptions } from "./device-checks.ts";
import {
  type EnableMigration,
  type MigrationBlocker,
  migrationBlocker,
  onlyMigratableAddition,
  onlyMigratableRefusal,
} from "./vfio-ap-migration.ts";
import { vfioName } from "./vfio-name.ts";

/** QEMU waits for these interrupts of a vfio_ap device: the request to give it back, the changed configuration. */
const interrupts = 2;

export interface RealizedVfioAp {
  /** What QEMU warns of. */
  readonly warnings: readonly string[];
  readonly blocker: MigrationBlocker | undefined;
}

/**
 * Connects the guest with a mediated device. QemuError. Source of texts and order: vfio_ap_realize of
 * QEMU 10.2.2's hw/vfio/ap.c, hw/vfio/device.c and hw/vfio/container-legacy.c.
 */
export async function realizeVfioAp(
  machine: Machine,
  port: GuestPort,
  options: DeviceOptions,
  { isMigratableOnly }: { readonly isMigratableOnly: boolean },
): Promise<RealizedVfioAp> {
  const [sysfsdev, iommufd, fd] = ["sysfsdev", "iommufd", "fd"].map((name) => options.get(name) as string | undefined);
  if (isMigratableOnly && sysfsdev === undefined) throw onlyMigratableRefusal();
  if (iommufd !== undefined) checkIommufd(machine, iommufd);
  if (fd !== undefined) throw new QemuError(prefixed(sysfsdev, fdText(iommufd !== undefined)));
  if (sysfsdev === undefined) throw new QemuError(prefixed(undefined, `no such host device: ${errnoText("EFAULT")}`));
  const outcome = await port.plug(sysfsdev);
  if (!outcome.isPlugged) throw refusal(sysfsdev, iommufd !== undefined, outcome);
  try {
    const enable = (options.get("enable-migration") ?? "auto") as EnableMigration;
    const blocker = migrationBlocker(sysfsdev, enable, outcome.isMigratable ?? false);
    if (blocker && isMigratableOnly) throw enable === "off" ? onlyMigratableAddition(sysfsdev, blocker) : onlyMigratableRefusal();
    return { warnings: missingInterrupts(outcome.irqs), blocker };
  } catch (error) {
    await port.unplug();
    throw error;
  }
}

function checkIommufd(machine: Machine, id: string): void {
  const object = machine.userObjects.children.get(id);
  if (!object) throw new QemuError(`Device '${id}' not found`, "DeviceNotFound");
  if (object.type !== "iommufd") throw new QemuError("Invalid parameter type for 'iommufd', expected: iommufd");
}

/** A file descriptor that somebody else opened leads nowhere here: what is behind it is a host's, not the kernel's. */
const fdText = (hasIommufd: boolean): string =>
  hasIommufd
    ? "a mediated device of this host cannot be passed as a file descriptor, use sysfsdev"
    : "Use FD passing only with iommufd backend";

const prefixed = (name: string | undefined, text: string): string => `vfio ${name ?? "(null)"}: ${text}`;

function refusal(sysfsdev: string, hasIommufd: boolean, outcome: PlugOutcome & { readonly isPlugged: false }): QemuError {
  const name = vfioName(sysfsdev);
  const errno = errnoText(outcome.errno) ?? outcome.errno;
  switch (outcome.step) {
    case "path":
      return new QemuError(prefixed(sysfsdev, `no such host device: ${errno}`));
    case "group-link":
      return new QemuError(
        prefixed(name, hasIommufd ? `couldn't open directory ${sysfsdev}/vfio-dev: ${errno}` : `no iommu_group found: ${errno}`),
      );
    case "group-open":
      return new QemuError(
        prefixed(
          name,
          hasIommufd ? `Failed to open /dev/vfio/devices/vfio${outcome.group}` : `Could not open '/dev/vfio/${outcome.group}': ${errno}`,
        ),
      );
    case "device":
      return new QemuError(
        prefixed(name, `error getting device from group ${outcome.group}: ${errno}`),
        "GenericError",
        `Verify all devices in group ${outcome.group} are bound to vfio-<bus> or pci-stub and not already in use`,
      );
  }
}

function missingInterrupts(irqs: number): string[] {
  return Array.from({ length: interrupts }, (_, index) => index)
    .filter((index) => index >= irqs)
    .map((index) => `vfio: IRQ ${index} not available (number of irqs ${irqs})`);
}
