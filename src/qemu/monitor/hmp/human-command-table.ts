import { changingCommands } from "./changing-commands.ts";
import { type HumanCommand, hasName } from "./human-command.ts";
import { infoCommands } from "./info-commands.ts";
import { migrationHumanCommands } from "./migration-human-commands.ts";
import { objectHumanCommands } from "./object-human-commands.ts";

const byName = (left: HumanCommand, right: HumanCommand): number => (left.name < right.name ? -1 : 1);

const helpCommand: HumanCommand = {
  name: "help|?",
  parameters: "[cmd]",
  help: "shows this, or the help of a command",
  arguments: [{ name: "name", kind: "rest", isOptional: true }],
  run: (_context, { name }) => helpOf(name?.split(/\s+/) ?? []),
};

const infoCommand: HumanCommand = {
  name: "info",
  parameters: "[subcommand]",
  help: "tells about the guest",
  run: () => helpOf(["info"]),
  subcommands: [...infoCommands].sort(byName),
};

/** Every command of the human monitor, in the order of its help. */
export const humanCommands: readonly HumanCommand[] = [
  ...changingCommands,
  ...migrationHumanCommands,
  ...objectHumanCommands,
  helpCommand,
  infoCommand,
].sort(byName);

function helpOf(words: readonly string[], table: readonly HumanCommand[] = humanCommands, above: readonly string[] = []): string {
  const [word, ...others] = words;
  if (word === undefined) return table.map((command) => helpLine(command, above)).join("");
  const command = table.find((candidate) => hasName(candidate, word));
  if (!command) return `unknown command: '${[...above, word].join(" ")}'\n`;
  return command.subcommands ? helpOf(others, command.subcommands, [...above, word]) : helpLine(command, above);
}

const helpLine = ({ name, parameters, help }: HumanCommand, above: readonly string[]): string =>
  `${[...above, name].join(" ")} ${parameters} -- ${help}\n`;
