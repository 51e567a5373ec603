import * as v from "valibot";
import type { HostOffer, PlugOutcome } from "../qemu/guest-port.ts";
import { Errno, type ErrnoName } from "../sysfs/errno.ts";
import type { Directory } from "../sysfs/node.ts";
import { resolve } from "../sysfs/tree.ts";
import { Wait } from "../sysfs/wait.ts";
import { Refusal } from "./control-protocol.ts";
import { guestName } from "./guest-name.ts";
import type { Host } from "./host.ts";
import { executeInstruction, instructionCommand } from "./instruction-command.ts";
import { migrationCommands, runMigrationCommand } from "./migration-command.ts";

/**
 * What an emulator asks of a host, as KVM and VFIO answer it: the commands behind a GuestPort. A guest is its emulator's: it goes when the
 * emulator does.
 */
const features = v.object({ ap: v.boolean(), apqci: v.boolean(), apft: v.boolean(), apqi: v.boolean() });

export const guestCommand = v.variant("action", [
  v.object({ do: v.literal("guest"), action: v.literal("offer") }),
  v.object({
    do: v.literal("guest"),
    action: v.literal("create"),
    guest: guestName,
    features,
    kind: v.optional(v.picklist(["model", "real"]), "model"),
    isIncoming: v.optional(v.boolean(), false),
  }),
  v.object({ do: v.literal("guest"), action: v.literal("plug"), guest: guestName, sysfsdev: v.pipe(v.string(), v.maxLength(4096)) }),
  instructionCommand,
  ...migrationCommands,
  v.object({
    do: v.literal("guest"),
    action: v.picklist(["run", "pause", "reset", "power-off", "unplug", "destroy"]),
    guest: guestName,
  }),
]);

export type GuestCommand = v.InferOutput<typeof guestCommand>;

export function runGuestCommand(host: Host, command: GuestCommand): unknown | Wait<unknown> {
  switch (command.action) {
    case "offer":
      return offerOf(host);
    case "create":
      return create(host, command);
    case "instruction":
      return executeInstruction(host, host.guest(command.guest).vm, command);
    case "device-state":
    case "device-read":
    case "device-write":
    case "save":
    case "restore":
      return runMigrationCommand(host, command);
    case "plug":
      return plug(host, command.guest, command.sysfsdev);
    case "unplug":
      return host.closeMdev(host.guest(command.guest));
    case "destroy":
      return host.destroyGuest(host.guest(command.guest));
    case "reset":
      return reset(host, command.guest);
  }
  const guest = host.guest(command.guest);
  if (command.action === "run" && guest.model?.isAwaited)
    throw new Refusal(`guest ${guest.name} has not come yet: it waits for a migration`);
  guest.isRunning = command.action === "run";
  switch (command.action) {
    case "run":
      return guest.model?.run();
    case "pause":
      return guest.model?.pause();
    case "power-off":
      return guest.model?.powerOff();
  }
}

export function offerOf({ machine, model }: Host): HostOffer {
  const { ap, qci, apft, apqi } = machine.profile.facilities;
  return { ap, apqci: ap && qci, apft: ap && apft, apqi: ap && apqi, machine: model };
}

function create(host: Host, { guest, features, kind, isIncoming }: Extract<GuestCommand, { action: "create" }>): void {
  const { ap, apqci, apft, apqi } = features;
  const facilities = { ap, qci: apqci, apft, apqi, msa3: true };
  if (kind === "real") host.createRealGuest(guest, facilities);
  else host.createGuest(guest, facilities, { isIncoming });
}

/** Every queue of the device, then the guest's Linux; the errno of VFIO_DEVICE_RESET if that failed. */
function reset(host: Host, guestName: string): ErrnoName | null | Wait<ErrnoName | null> {
  const guest = host.guest(guestName);
  const boot = (): null => {
    guest.model?.reset();
    return null;
  };
  if (!guest.mdev) return boot();
  return settledBy(
    () => host.resetMdev(guest),
    boot,
    (errno) => {
      guest.model?.reset();
      return errno;
    },
  );
}

function plug(host: Host, guestName: string, sysfsdev: string): PlugOutcome | Wait<PlugOutcome> {
  const guest = host.guest(guestName);
  const found = mdevAt(host, sysfsdev);
  if (!("uuid" in found)) return { isPlugged: false, ...found };
  const { uuid, group } = found;
  return settledBy<void, PlugOutcome>(
    () => host.openMdev(guest, uuid),
    () => ({ isPlugged: true, irqs: host.linux.generation.vfioIrqs, isMigratable: host.linux.generation.isMigratable }),
    // The group is open to one process only; what the driver itself refuses comes with the device's file descriptor.
    (errno) => ({ isPlugged: false, step: errno === "EBUSY" ? "group-open" : "device", errno, group }),
  );
}

type Found = { readonly uuid: string; readonly group: number } | { readonly step: "path" | "group-link"; readonly errno: ErrnoName };

/** What stat(2) of the folder and readlink(2) of its iommu_group find. */
function mdevAt({ linux }: Host, sysfsdev: string): Found {
  let folder: Directory;
  try {
    const node = resolve(linux.root, sysfsdev.slice("/sys".length));
    if (node.kind !== "directory") return { step: "group-link", errno: "ENOTDIR" };
    folder = node;
  } catch (error) {
    if (error instanceof Errno) return { step: "path", errno: error.code };
    throw error;
  }
  const link = folder.lookup("iommu_group");
  if (link?.kind !== "link") return { step: "group-link", errno: "ENOENT" };
  const mdev = linux.mdevCore.mdevs.find(({ groupNumber }) => String(groupNumber) === link.target.name);
  return mdev ? { uuid: mdev.uuid, group: mdev.groupNumber } : { step: "group-link", errno: "ENOENT" };
}

/** The result of `act`, or of the errno it ends with, now or when it settles. */
function settledBy<T, R>(act: () => T | Wait<T>, onValue: (value: T) => R, onErrno: (errno: ErrnoName) => R): R | Wait<R> {
  const ended = (outcome: { readonly value: T } | { readonly error: unknown }): R => {
    if ("value" in outcome) return onValue(outcome.value);
    if (outcome.error instanceof Errno) return onErrno(outcome.error.code);
    throw outcome.error;
  };
  let result: T | Wait<T>;
  try {
    result = act();
  } catch (error) {
    return ended({ error });
  }
  if (!(result instanceof Wait)) return ended({ value: result });
  const wait = new Wait<R>();
  result.onSettled((outcome) => wait.complete(() => ended(outcome)));
  return wait;
}
