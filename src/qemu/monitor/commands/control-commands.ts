import { QemuError } from "../../qemu-error.ts";
import { runHumanCommand } from "../hmp/run-human-command.ts";
import { qemuVersion } from "../qemu-version.ts";
import { repeatedNegotiation } from "../qmp/negotiation.ts";
import { command, type QmpCommand } from "../qmp/qmp-command.ts";
import { any, int, listOf, object, oneOf, optional, str } from "../schema/schema-type.ts";

// Node cannot receive descriptors with a message, so nobody ever supplied one.
const noDescriptor = (): never => {
  throw new QemuError("No file descriptor supplied via SCM_RIGHTS");
};
const unknownDescriptor = (name: string): never => {
  throw new QemuError(`File descriptor named '${name}' not found`);
};

/** About the monitor itself. */
export const controlCommands = {
  qmp_capabilities: repeatedNegotiation,
  "query-version": command({
    returns: object({ qemu: object({ major: int, minor: int, micro: int }), package: str }),
    run: () => qemuVersion,
  }),
  quit: command({ run: ({ emulator }) => emulator.quit("host-qmp-quit") }),
  "human-monitor-command": command({
    arguments: { "command-line": str, "cpu-index": optional(int) },
    returns: str,
    features: ["savevm-monitor-nodes"],
    run: (context, { "command-line": line, "cpu-index": cpu }) => {
      const { cpus, cpu: model } = context.emulator.machine.options;
      if (cpu !== undefined && (!model || cpu < 0 || cpu >= cpus)) throw new QemuError("Parameter 'cpu-index' expects a CPU number");
      return runHumanCommand(context, line);
    },
  }),
  getfd: command({ arguments: { fdname: str }, run: noDescriptor }),
  closefd: command({ arguments: { fdname: str }, run: (_context, { fdname }) => unknownDescriptor(fdname) }),
  "add-fd": command({
    arguments: { "fdset-id": optional(int), opaque: optional(str) },
    returns: object({ "fdset-id": int, fd: int }),
    run: noDescriptor,
  }),
  "remove-fd": command({
    arguments: { "fdset-id": int, fd: optional(int) },
    run: (_context, { "fdset-id": set, fd }) => unknownDescriptor(fd === undefined ? `fdset-id:${set}` : `fdset-id:${set}, fd:${fd}`),
  }),
  "query-fdsets": command({
    returns: listOf(object({ "fdset-id": int, fds: listOf(object({ fd: int, opaque: optional(str) })) })),
    run: () => [],
  }),
  "query-yank": command({ returns: listOf(object({ type: oneOf("block-node", "chardev", "migration") })), run: () => [] }),
  yank: command({
    arguments: { instances: listOf(any) },
    allowsOob: true,
    run: (_context, { instances }) => {
      if (instances.length > 0) throw new QemuError("Instance not found", "DeviceNotFound");
    },
  }),
} satisfies Record<string, QmpCommand>;
