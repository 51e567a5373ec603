import type { Emulator } from "../qemu/emulator.ts";
import type { JsonObject } from "../qemu/monitor/json/json-value.ts";
import { monitorStateOf } from "../qemu/monitor/monitor-state.ts";
import { qmpCommands } from "../qemu/monitor/qmp/command-table.ts";
import { dispatch } from "../qemu/monitor/qmp/dispatch.ts";
import { QemuError } from "../qemu/qemu-error.ts";

/** QMP of one emulator, wherever it runs: what a management of guests talks to. */
export interface GuestMonitor {
  /** What the command returns. QemuError. */
  execute(command: MonitorCommand, values?: JsonObject): Promise<unknown>;
}

/** What moving a guest takes. */
export const monitorCommands = ["migrate", "migrate_cancel", "migrate-incoming", "query-migrate", "quit"] as const;
export type MonitorCommand = (typeof monitorCommands)[number];

/** Of an emulator in this process. */
export const monitorOf = (emulator: Emulator): GuestMonitor => ({
  async execute(command, values = {}) {
    const rules = { commands: qmpCommands, isOobEnabled: false, stock: emulator.options.stock };
    const answer = await dispatch({ execute: command, arguments: values }, rules, { emulator, state: monitorStateOf(emulator) });
    if ("error" in answer) throw new QemuError((answer.error as { readonly desc: string }).desc);
    return answer.return;
  },
});
