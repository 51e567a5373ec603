import type { ErrnoName } from "../../../src/sysfs/errno.ts";

/**
 * What the kernel may answer to a write, whatever is written, by the attribute's name; after a slash, by the directory it is in. From the
 * stores in drivers/s390/crypto (ap_bus.c, ap_card.c, ap_queue.c, zcrypt_card.c, zcrypt_queue.c, zcrypt_api.c, vfio_ap_ops.c),
 * drivers/base (bus.c, core.c), drivers/vfio/mdev/mdev_sysfs.c and drivers/iommu/iommu.c. A name that is not here takes everything.
 */
const number = ["EINVAL", "ERANGE"] as const;
const synthetic = ["EINVAL"] as const;

export const allowedErrnos: Readonly<Record<string, readonly ErrnoName[]>> = {
  uevent: synthetic,
  // The AP bus.
  ap_domain: ["EINVAL"],
  config_time: ["EINVAL"],
  poll_thread: ["EINVAL"],
  poll_timeout: number,
  apmask: ["EINVAL", "EBUSY"],
  aqmask: ["EINVAL", "EBUSY"],
  scans: [],
  drivers_probe: ["ENODEV"],
  drivers_autoprobe: [],
  bind: ["ENODEV", "EBUSY"],
  unbind: ["ENODEV"],
  // Cards and queues.
  config: ["EINVAL"],
  online: ["EINVAL", "ENODEV"],
  request_count: [],
  reset: [],
  driver_override: ["EINVAL"],
  // Mediated devices.
  "vfio_ap-passthrough/create": ["EINVAL", "EEXIST"],
  remove: ["EINVAL"],
  assign_adapter: [...number, "ENODEV", "EADDRNOTAVAIL", "EADDRINUSE"],
  assign_domain: [...number, "ENODEV", "EADDRNOTAVAIL", "EADDRINUSE"],
  unassign_adapter: [...number, "ENODEV"],
  unassign_domain: [...number, "ENODEV"],
  assign_control_domain: [...number, "ENODEV"],
  unassign_control_domain: [...number, "ENODEV"],
  ap_config: ["EINVAL", "EADDRNOTAVAIL", "EADDRINUSE", "ENODEV"],
  type: ["EINVAL"],
  // Nodes of zcrypt; their apmask and aqmask ask nobody.
  "zcrypt/create": ["EEXIST"],
  "zcrypt/destroy": ["ENOENT"],
  "one/apmask": ["EINVAL"],
  "one/aqmask": ["EINVAL"],
  "one/ioctlmask": ["EINVAL"],
  "one/admask": ["EINVAL"],
};

/** The first generations change nothing under a running guest and remove nothing that is in use. */
const whileRunning: readonly string[] = [
  "remove",
  "assign_adapter",
  "assign_domain",
  "unassign_adapter",
  "unassign_domain",
  "assign_control_domain",
  "unassign_control_domain",
];

export function errnosOf(path: string, isDynamic: boolean): readonly string[] | undefined {
  const [name = "", folder = ""] = path.split("/").reverse();
  const known = allowedErrnos[`${folder}/${name}`] ?? allowedErrnos[name];
  return known && !isDynamic && whileRunning.includes(name) ? [...known, "EBUSY"] : known;
}
