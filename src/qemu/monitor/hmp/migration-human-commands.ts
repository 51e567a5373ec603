import { migrationAddress } from "../../migration/migration-address.ts";
import { QemuError } from "../../qemu-error.ts";
import { setCapabilities, setParameters } from "../migration-settings.ts";
import type { HumanCommand } from "./human-command.ts";
import { migrationParameter } from "./migration-parameters.ts";

/** Commands of migration. Source of texts: QEMU 10.2.2 migration/migration-hmp-cmds.c. */
export const migrationHumanCommands: readonly HumanCommand[] = [
  {
    name: "migrate",
    parameters: "[-d] [-r] uri",
    help: "moves the guest to a URI; without -d this monitor waits for it",
    arguments: [
      { name: "d", kind: "switch" },
      { name: "r", kind: "switch" },
      { name: "uri", kind: "word" },
    ],
    run: ({ state, suspend }, { d, r, uri = "" }) => {
      const address = migrationAddress(uri);
      if (r !== undefined) throw new QemuError("Cannot resume if there is no paused migration");
      const ended = state.migration.begin(address);
      if (d !== undefined) return undefined;
      if (!suspend) return "terminal does not allow synchronous migration, continuing detached\n";
      suspend(ended.then(({ problem }) => (problem === undefined ? "" : `Error: ${problem}\n`)));
      return undefined;
    },
  },
  {
    name: "migrate_cancel",
    parameters: "",
    help: "gives the migration up",
    run: ({ state }) => state.migration.cancel(),
  },
  {
    name: "migrate_continue",
    parameters: "state",
    help: "lets a migration go on that waits in a state",
    arguments: [{ name: "state", kind: "word" }],
    run: ({ state }, { state: expected = "" }) => state.migration.continue(expected),
  },
  {
    name: "migrate_incoming",
    parameters: "uri",
    help: "waits for a guest at a URI, after -incoming defer",
    arguments: [{ name: "uri", kind: "word" }],
    run: ({ state }, { uri = "" }) => state.migration.listen(migrationAddress(uri), { exitsOnError: true }),
  },
  {
    name: "migrate_set_capability",
    parameters: "capability state",
    help: "switches a capability of migration",
    arguments: [
      { name: "capability", kind: "word" },
      { name: "state", kind: "onoff" },
    ],
    run: ({ state: { migration } }, { capability = "", state }) => {
      if (!migration.capabilities.has(capability)) throw new QemuError(`invalid parameter value: ${capability}`);
      setCapabilities(migration, new Map([[capability, state === "on"]]));
    },
  },
  {
    name: "migrate_set_parameter",
    parameters: "parameter value",
    help: "sets a parameter of migration",
    arguments: [
      { name: "parameter", kind: "word" },
      { name: "value", kind: "word" },
    ],
    run: ({ state }, { parameter = "", value = "" }) => setParameters(state.migration, migrationParameter(parameter, value)),
  },
];
