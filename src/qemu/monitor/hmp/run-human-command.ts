import { QemuError } from "../../qemu-error.ts";
import type { QmpContext } from "../qmp/qmp-command.ts";
import { humanArguments } from "./human-arguments.ts";
import { type HumanCommand, type HumanContext, hasName } from "./human-command.ts";
import { humanCommands } from "./human-command-table.ts";

/** What the human monitor prints for a line, with CR LF. Never rejects because of what was typed. */
export async function runHumanCommand(
  context: QmpContext,
  line: string,
  typing: Pick<HumanContext, "history" | "suspend"> = { history: [] },
): Promise<string> {
  return (await printed({ ...context, ...typing }, line)).replaceAll("\n", "\r\n");
}

async function printed(context: HumanContext, line: string): Promise<string> {
  const found = findCommand(humanCommands, line, line);
  if (!found) return "";
  if (typeof found === "string") return printedOrError(async () => (await stockAnswer(context, line)) ?? found);
  const { command, rest } = found;
  const parsed = humanArguments(command, rest);
  if ("printed" in parsed) {
    for (const text of parsed.reported ?? []) context.emulator.options.report?.(text);
    const typed = line.slice(0, line.length - rest.length).trim();
    return `${parsed.printed}Try "help ${typed}" for more information\n`;
  }
  return printedOrError(async () => (await command.run(context, parsed.values)) ?? "");
}

async function printedOrError(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof QemuError) return `Error: ${error.message}\n${error.hint === undefined ? "" : `${error.hint}\n`}`;
    throw error;
  }
}

/** What this monitor does not know, that of the stock QEMU below a real guest may. */
async function stockAnswer({ emulator }: HumanContext, line: string): Promise<string | undefined> {
  const answer = await emulator.options.stock?.execute("human-monitor-command", { "command-line": line });
  return typeof answer === "string" ? answer.replaceAll("\r\n", "\n") : undefined;
}

/** Undefined for an empty line, a text for an unknown command. */
function findCommand(
  table: readonly HumanCommand[],
  line: string,
  rest: string,
): { readonly command: HumanCommand; readonly rest: string } | string | undefined {
  const text = rest.trimStart();
  if (text === "") return undefined;
  const [name = ""] = /^[^\s/]*/.exec(text) ?? [];
  const after = text.slice(name.length);
  const command = table.find((candidate) => hasName(candidate, name));
  if (!command) return `unknown command: '${line.slice(0, line.length - after.length)}'\n`;
  if (command.subcommands && after.trim() !== "") return findCommand(command.subcommands, line, after);
  return { command, rest: after.trimStart() };
}
