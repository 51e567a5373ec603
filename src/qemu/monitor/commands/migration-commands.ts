import { QemuError } from "../../qemu-error.ts";
import { migrationCapabilities, migrationParameterDefaults } from "../migration-settings.ts";
import { command, type QmpCommand } from "../qmp/qmp-command.ts";
import { any, bool, int, listOf, type Members, object, oneOf, optional, str, uint64 } from "../schema/schema-type.ts";

const capability = oneOf(...migrationCapabilities);
const status = oneOf(
  "none",
  "setup",
  "cancelling",
  "cancelled",
  "active",
  "postcopy-device",
  "postcopy-active",
  "postcopy-paused",
  "postcopy-recover-setup",
  "postcopy-recover",
  "completed",
  "failed",
  "colo",
  "pre-switchover",
  "device",
  "wait-unplug",
);

/** Their types follow from their defaults. */
const parameters: Members = Object.fromEntries(
  Object.entries(migrationParameterDefaults).map(([name, value]) => {
    if (typeof value === "boolean") return [name, optional(bool)];
    if (typeof value === "number") return [name, optional(int)];
    if (name === "mode") return [name, optional(oneOf("normal", "cpr-reboot", "cpr-transfer", "cpr-exec"))];
    if (name === "multifd-compression") return [name, optional(oneOf("none", "zlib", "zstd"))];
    if (name === "zero-page-detection") return [name, optional(oneOf("none", "legacy", "multifd"))];
    return [name, optional(str)];
  }),
);

export const migrationCommands = {
  migrate: command({
    arguments: { uri: optional(str), channels: optional(listOf(any)), detach: optional(bool), resume: optional(bool) },
    run: ({ state }, { uri, channels }) => {
      if ((uri === undefined) === (channels === undefined)) throw new QemuError("need either 'uri' or 'channels' argument");
      state.migration.begin(uri ?? uriOf(channels ?? []));
    },
  }),
  migrate_cancel: command({ run: () => undefined }),
  "migrate-continue": command({
    arguments: { state: status },
    run: ({ state }) => {
      throw new QemuError(`Migration not in expected state: ${state.migration.status}`);
    },
  }),
  "migrate-pause": command({
    allowsOob: true,
    run: () => {
      throw new QemuError("migrate-pause is currently only supported during postcopy-active or postcopy-recover state");
    },
  }),
  "migrate-incoming": command({
    arguments: { uri: optional(str), channels: optional(listOf(any)), "exit-on-error": optional(bool) },
    run: () => {
      throw new QemuError("'-incoming' was not specified on the command line");
    },
  }),
  "query-migrate": command({
    returns: object({
      status: optional(status),
      "error-desc": optional(str),
      "blocked-reasons": optional(listOf(str)),
      "total-time": optional(int),
      downtime: optional(int),
      "setup-time": optional(int),
    }),
    run: ({ state: { migration } }) => ({
      ...(migration.status !== "none" && { status: migration.status, "error-desc": migration.problem }),
      ...(migration.blockedReasons.length > 0 && { "blocked-reasons": migration.blockedReasons }),
    }),
  }),
  "migrate-set-capabilities": command({
    arguments: { capabilities: listOf(object({ capability, state: bool })) },
    run: ({ state: { migration } }, { capabilities }) => {
      if (migration.status === "setup") throw new QemuError("There's a migration process in progress");
      for (const { capability: name, state } of capabilities) migration.capabilities.set(name, state);
    },
  }),
  "query-migrate-capabilities": command({
    returns: listOf(object({ capability, state: bool })),
    run: ({ state }) => [...state.migration.capabilities].map(([name, isOn]) => ({ capability: name, state: isOn })),
  }),
  "migrate-set-parameters": command({
    arguments: parameters,
    run: ({ state }, values) => {
      Object.assign(state.migration.parameters, values);
    },
  }),
  "query-migrate-parameters": command({ returns: object(parameters), run: ({ state }) => state.migration.parameters }),
  "query-colo-status": command({
    returns: object({ mode: oneOf("none", "primary", "secondary"), "last-mode": oneOf("none", "primary", "secondary"), reason: str }),
    run: () => ({ mode: "none", "last-mode": "none", reason: "none" }),
  }),
  "query-dirty-rate": command({
    returns: object({ status: str, "start-time": int, "calc-time": int, "calc-time-unit": str, "sample-pages": uint64, mode: str }),
    run: () => ({
      status: "unstarted",
      "start-time": 0,
      "calc-time": 0,
      "calc-time-unit": "second",
      "sample-pages": 0,
      mode: "page-sampling",
    }),
  }),
} satisfies Record<string, QmpCommand>;

/** Only the main channel says where to. */
function uriOf(channels: readonly unknown[]): string {
  const [channel] = channels as readonly { addr?: Readonly<Record<string, unknown>> }[];
  const { transport, type, host, port, path, str: fd } = channel?.addr ?? {};
  if (transport === "socket" && type === "inet") return `tcp:${host}:${port}`;
  if (transport === "socket" && type === "unix") return `unix:${path}`;
  if (transport === "socket" && type === "fd") return `fd:${fd}`;
  throw new QemuError("Channel list must have one channel of type 'main'");
}
