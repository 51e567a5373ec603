import * as v from "valibot";
import { QemuError } from "../qemu/qemu-error.ts";
import type { GuestMonitor } from "./guest-monitor.ts";

/**
 * Sends a guest away and says how it ended. Its emulator decides, so that whoever asked may be gone meanwhile: a guest that went quits here,
 * one that did not goes on.
 */
const migrationInfo = v.looseObject({
  status: v.optional(v.string(), "none"),
  "error-desc": v.optional(v.string()),
  "total-time": v.optional(v.number()),
  downtime: v.optional(v.number()),
  ram: v.optional(v.looseObject({ total: v.number(), transferred: v.number(), remaining: v.number() })),
});
export type MigrationInfo = v.InferOutput<typeof migrationInfo>;

export type SendOutcome =
  | { readonly isSent: true; readonly info: MigrationInfo }
  /** `command`: QEMU did not take it. `job`: it was begun and failed. `cancelled`. */
  | { readonly isSent: false; readonly step: "command" | "job" | "cancelled"; readonly problem: string };

export interface SendOptions {
  readonly uri: string;
  /** Resolves when it is worth to look again. */
  readonly pause: () => Promise<void>;
}

export async function sendGuest(monitor: GuestMonitor, { uri, pause }: SendOptions): Promise<SendOutcome> {
  try {
    await monitor.execute("migrate", { uri });
  } catch (error) {
    if (error instanceof QemuError) return { isSent: false, step: "command", problem: error.message };
    throw error;
  }
  for (;;) {
    const info = await migrationInfoOf(monitor);
    if (info.status === "completed") return { isSent: true, info };
    if (info.status === "cancelled") return { isSent: false, step: "cancelled", problem: "canceled by client" };
    if (info.status === "failed") return { isSent: false, step: "job", problem: info["error-desc"] ?? "unexpectedly failed" };
    await pause();
  }
}

export const migrationInfoOf = async (monitor: GuestMonitor): Promise<MigrationInfo> =>
  v.parse(migrationInfo, await monitor.execute("query-migrate"));

export const parseMigrationInfo = (answer: unknown): MigrationInfo => v.parse(migrationInfo, answer);
