import { fail } from "../../../sysfs/errno.ts";

/**
 * The states of a device that migrates, and the ways between them. Source: Linux include/uapi/linux/vfio.h, enum vfio_device_mig_state;
 * drivers/vfio/vfio_main.c, vfio_mig_get_next_state, for a device whose only flag is VFIO_MIGRATION_STOP_COPY.
 */
export type MigrationState = "error" | "stop" | "running" | "stop-copy" | "resuming";

/** The states that one step leads to; whatever else is wanted goes by way of `stop`. */
const steps: Readonly<Record<MigrationState, readonly MigrationState[]>> = {
  error: [],
  stop: ["running", "stop-copy", "resuming"],
  running: ["stop"],
  "stop-copy": ["stop"],
  resuming: ["stop"],
};

/** EINVAL: nothing leads out of `error`, and nobody may want it. */
export function nextState(current: MigrationState, wanted: MigrationState): MigrationState {
  if (wanted === "error") return fail("EINVAL");
  const [first, ...others] = steps[current];
  if (first === undefined) return fail("EINVAL");
  return others.includes(wanted) ? wanted : first;
}
