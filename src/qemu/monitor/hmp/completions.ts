import { deviceTypes } from "../../devices/device-types.ts";
import type { Emulator } from "../../emulator.ts";
import type { MonitorState } from "../monitor-state.ts";
import { type HumanCommand, hasName } from "./human-command.ts";
import { humanCommands } from "./human-command-table.ts";
import type { Completions } from "./readline.ts";

/** What may follow in a line: names of commands, and what some take. */
export function completions(emulator: Emulator, state: MonitorState, line: string): Completions {
  const words = line.trimStart().split(/\s+/);
  const prefix = words.at(-1) ?? "";
  const fitting = (all: Iterable<string>): Completions => ({
    prefix,
    words: [...new Set(all)].filter((word) => word.startsWith(prefix)).sort(),
  });
  if (words.length <= 1) return fitting(namesOf(humanCommands));
  const command = humanCommands.find((candidate) => hasName(candidate, words[0]!));
  if (command?.subcommands && words.length === 2) return fitting(namesOf(command.subcommands));
  if (words.length !== 2) return { prefix, words: [] };
  switch (command?.name) {
    case "help|?":
      return fitting(namesOf(humanCommands));
    case "device_add":
      return fitting(
        deviceTypes.filter(({ isAbstract, isUserCreatable }) => !isAbstract && isUserCreatable !== false).map(({ name }) => name),
      );
    case "device_del":
      return fitting(emulator.machine.peripheral.children.keys());
    case "object_del":
      return fitting(emulator.machine.userObjects.children.keys());
    case "chardev-remove":
      return fitting(state.chardevs.keys());
    default:
      return { prefix, words: [] };
  }
}

const namesOf = (commands: readonly HumanCommand[]): string[] => commands.flatMap(({ name }) => name.split("|"));
