import { socketAddressMembers } from "../migration/migration-address.ts";
import type { QmpContext } from "./qmp/qmp-command.ts";

/** What query-migrate returns. Source: fill_source_migration_info and fill_destination_migration_info of QEMU 10.2.2. */
export async function migrationInfo({ emulator, state: { migration } }: QmpContext): Promise<Record<string, unknown>> {
  const { status, problem, blockedReasons, listeningAddress, times } = migration;
  const blocked = blockedReasons.length > 0 ? { "blocked-reasons": blockedReasons } : {};
  if (listeningAddress) {
    const socketAddress = socketAddressMembers(listeningAddress);
    return {
      ...blocked,
      ...(socketAddress && { "socket-address": [socketAddress] }),
      ...(status !== "setup" && { status }),
      ...(problem !== undefined && { "error-desc": problem }),
    };
  }
  if (status === "none") return blocked;
  const hasTimes = status === "completed" || (migration.isRunning && status !== "setup");
  const ram = hasTimes ? await emulator.options.port.machine.progress() : undefined;
  return {
    ...blocked,
    status,
    ...(problem !== undefined && { "error-desc": problem }),
    ...(hasTimes && { "total-time": whole(times.totalMs), "setup-time": whole(times.setupMs) }),
    ...(hasTimes && status !== "completed" && { "expected-downtime": Number(migration.parameters["downtime-limit"]) }),
    ...(times.outgoing && { downtime: whole(times.outgoing.downtimeMs) }),
    ...(ram && { ram }),
    ...(times.outgoing && emulator.vfioAp && { "x-ap-downtime-us": whole(1000 * times.outgoing.apDowntimeMs) }),
  };
}

const whole = (ms: number | undefined): number => Math.round(ms ?? 0);
