import { modeOf } from "../ap/queue-info.ts";
import type { HostStatus } from "../host/host-status.ts";
import { table } from "./table.ts";

const modeNames = { accelerator: "Accelerator", cca: "CCA-Coproc", ep11: "EP11-Coproc" } as const;

/** The host's adapters and queues, in the columns of lszcrypt -V that matter here. */
export function apTable({ adapters }: HostStatus): string[] {
  if (adapters.length === 0) return ["no adapters"];
  const rows = adapters.flatMap(({ id, type, isConfigured, isCheckstopped, functions, queues }) => {
    const mode = modeOf(functions);
    const kind = [type?.trim() ?? "-", mode ? modeNames[mode] : "Unknown"];
    const state = isCheckstopped ? "chkstop" : isConfigured ? undefined : "deconfig";
    const card = [id.toString(16).padStart(2, "0"), ...kind, state ?? "online", type === undefined ? "-no-driver-" : "cex4card"];
    return [card, ...queues.map(({ name, driver, status }) => [name, ...kind, state ?? status ?? "-", driver ?? "-no-driver-"])];
  });
  return table(["CARD.DOM", "TYPE", "MODE", "STATUS", "DRIVER"], rows);
}

/** Which queues each guest has. */
export function guestTable({ guests }: HostStatus): string[] {
  if (guests.length === 0) return [];
  return table(
    ["GUEST", "MEDIATED DEVICE", "APQNS"],
    guests.map(({ name, mdev, apqns }) => [name, mdev ?? "-", apqns.join(" ") || "-"]),
  );
}
