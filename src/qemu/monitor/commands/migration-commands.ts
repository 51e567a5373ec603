import { channelAddress, type MigrationAddress, migrationAddress } from "../../migration/migration-address.ts";
import { QemuError } from "../../qemu-error.ts";
import { migrationInfo } from "../migration-info.ts";
import {
  migrationCapabilities,
  migrationParameterChoices,
  migrationParameterDefaults,
  setCapabilities,
  setParameters,
} from "../migration-settings.ts";
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
    const choices = migrationParameterChoices[name];
    return [name, optional(choices ? oneOf(...choices) : str)];
  }),
);

export const migrationCommands = {
  migrate: command({
    arguments: { uri: optional(str), channels: optional(listOf(any)), detach: optional(bool), resume: optional(bool) },
    run: ({ state }, { uri, channels, resume }) => {
      const address = addressOf(uri, channels);
      if (resume) throw new QemuError("Cannot resume if there is no paused migration");
      void state.migration.begin(address);
    },
  }),
  migrate_cancel: command({ run: ({ state }) => state.migration.cancel() }),
  "migrate-continue": command({
    arguments: { state: status },
    run: ({ state }, { state: expected }) => state.migration.continue(expected),
  }),
  "migrate-pause": command({
    allowsOob: true,
    run: () => {
      throw new QemuError("migrate-pause is currently only supported during postcopy-active or postcopy-recover state");
    },
  }),
  "migrate-incoming": command({
    arguments: { uri: optional(str), channels: optional(listOf(any)), "exit-on-error": optional(bool) },
    run: ({ state }, { uri, channels, "exit-on-error": exitsOnError = true }) =>
      state.migration.listen(addressOf(uri, channels), { exitsOnError }),
  }),
  "query-migrate": command({
    returns: object({
      status: optional(status),
      "error-desc": optional(str),
      "blocked-reasons": optional(listOf(str)),
      "total-time": optional(int),
      "expected-downtime": optional(int),
      downtime: optional(int),
      "setup-time": optional(int),
      ram: optional(any),
      vfio: optional(object({ transferred: int })),
      "socket-address": optional(listOf(any)),
      "x-ap-downtime-us": optional(int),
    }),
    run: (context) => migrationInfo(context),
  }),
  "migrate-set-capabilities": command({
    arguments: { capabilities: listOf(object({ capability, state: bool })) },
    run: ({ state: { migration } }, { capabilities }) => {
      setCapabilities(migration, new Map(capabilities.map(({ capability: name, state }) => [name, state])));
    },
  }),
  "query-migrate-capabilities": command({
    returns: listOf(object({ capability, state: bool })),
    run: ({ state }) => [...state.migration.capabilities].map(([name, isOn]) => ({ capability: name, state: isOn })),
  }),
  "migrate-set-parameters": command({
    arguments: parameters,
    run: ({ state }, values) => setParameters(state.migration, values),
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

/** QemuError. */
function addressOf(uri: string | undefined, channels: readonly unknown[] | undefined): MigrationAddress {
  if ((uri === undefined) === (channels === undefined)) throw new QemuError("need either 'uri' or 'channels' argument");
  return uri !== undefined ? migrationAddress(uri) : channelAddress(channels ?? []);
}
