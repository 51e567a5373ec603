import { absentCommands } from "../commands/absent-commands.ts";
import { chardevCommands } from "../commands/chardev-commands.ts";
import { controlCommands } from "../commands/control-commands.ts";
import { machineCommands } from "../commands/machine-commands.ts";
import { migrationCommands } from "../commands/migration-commands.ts";
import { objectCommands } from "../commands/object-commands.ts";
import { runStateCommands } from "../commands/run-state-commands.ts";
import { introspect } from "../schema/introspection.ts";
import { any, bool, int, listOf, object, optional, str } from "../schema/schema-type.ts";
import { command, type QmpCommand } from "./qmp-command.ts";

/** What an event carries. None of these is among those that QEMU sends at most once a second. */
const events = {
  SHUTDOWN: object({ guest: bool, reason: str }),
  POWERDOWN: object({}),
  RESET: object({ guest: bool, reason: str }),
  STOP: object({}),
  RESUME: object({}),
  DEVICE_DELETED: object({ device: optional(str), path: str }),
  MIGRATION: object({ status: str }),
  MIGRATION_PASS: object({ pass: int }),
};

/** Every command of QMP: what is here is what query-commands lists and query-qmp-schema describes. */
export const qmpCommands: Readonly<Record<string, QmpCommand>> = {
  ...controlCommands,
  ...runStateCommands,
  ...machineCommands,
  ...objectCommands,
  ...chardevCommands,
  ...migrationCommands,
  ...absentCommands,
  "query-commands": command({
    returns: listOf(object({ name: str })),
    run: () => Object.keys(qmpCommands).map((name) => ({ name })),
  }),
  "query-qmp-schema": command({ returns: listOf(any), run: () => schema() }),
};

let known: ReturnType<typeof introspect> | undefined;
function schema(): ReturnType<typeof introspect> {
  known ??= introspect(qmpCommands, events);
  return known;
}
