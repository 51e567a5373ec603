import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError, Command as Program } from "commander";
import * as v from "valibot";
import { ConfigurationError } from "../host/configuration-error.ts";
import { ControlRefusal } from "../host/control-client.ts";
import { Refusal } from "../host/control-protocol.ts";
import { packageRoot } from "../host/package-root.ts";
import { errnoText } from "../sysfs/errno-text.ts";
import { type Command, exitStatus, type Invocation, type Output, UsageError } from "./command.ts";
import { commandTable } from "./command-table.ts";

/** The one file that knows commander: parses the words, runs the command, turns what it throws into an exit status. */
export async function runCommandLine(words: readonly string[], output: Output): Promise<number> {
  const wanted = words.find((word) => !word.startsWith("-"));
  const load = wanted === undefined ? undefined : commandTable[wanted];
  const commands = load ? [await load()] : await Promise.all(Object.values(commandTable).map((loadOne) => loadOne()));
  let status: number = exitStatus.done;
  const program = new Program("adjunct")
    .description("An IBM Z crypto-passthrough stack in software: AP bus, vfio_ap and mediated devices behind a real /sys.")
    .version(ownVersion(), "--version", "print the version")
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.print(text.trimEnd()), writeErr: (text) => output.note(text.trimEnd()) })
    .showHelpAfterError("(adjunct --help lists the commands)")
    .addHelpText("after", "\nExit status: 0 done, 1 refused (the reason is on stderr), 2 wrong usage. Every command takes --json.");
  for (const command of commands) {
    addCommand(program, command, async (invocation) => {
      status = await runCommand(command, { ...invocation, output });
    });
  }
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  }
  return status;
}

const ownVersion = (): string =>
  v.parse(v.object({ version: v.string() }), JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"))).version;

type Run = (invocation: Omit<Invocation, "output">) => Promise<void>;

function addCommand(program: Program, command: Command, run: Run): void {
  const words = command.arguments.map(({ name, isOptional, isList }) => {
    const word = isList ? `${name}...` : name;
    return isOptional ? `[${word}]` : `<${word}>`;
  });
  const parser = program
    .command([command.name, ...words].join(" "))
    .summary(command.summary)
    .description(command.summary)
    .exitOverride();
  for (const [index, { description }] of command.arguments.entries()) {
    const argument = parser.registeredArguments[index];
    if (argument) argument.description = description;
  }
  for (const { flags, description } of command.options) parser.option(flags, description);
  parser.option("--json", command.jsonMeaning ?? "print JSON");
  if (command.examples) parser.addHelpText("after", `\nExamples:\n${command.examples.map((line) => `  ${line}`).join("\n")}`);
  parser.action(async () => {
    const options = parser.opts<Record<string, unknown>>();
    await run({ arguments: parser.args, options, wantsJson: options.json === true });
  });
}

async function runCommand(command: Command, invocation: Invocation): Promise<number> {
  try {
    return await command.run(invocation);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isUsage = error instanceof UsageError;
    if (invocation.wantsJson) invocation.output.note(JSON.stringify({ error: errorObject(error) }));
    else report(error, invocation, isUsage ? `${error.message}\n(adjunct ${command.name} --help)` : messageOf(error));
    return isUsage ? exitStatus.usage : exitStatus.refused;
  }
}

/** `/sys/nix: No such file or directory (ENOENT)`, or what the error says. */
function messageOf(error: Error): string {
  if (!(error instanceof ControlRefusal)) return error.message;
  const text = errnoText(error.code);
  return text === undefined ? error.message : `${error.subject === undefined ? "" : `${error.subject}: `}${text} (${error.code})`;
}

/** `{ code, message, subject }`: the message is what people see, the subject what was asked about. */
function errorObject(error: Error) {
  const subject = error instanceof ControlRefusal ? error.subject : undefined;
  return { code: codeOf(error), message: messageOf(error), ...(subject !== undefined && { subject }) };
}

function report(error: Error, { output }: Invocation, text: string): void {
  output.note(error instanceof ConfigurationError ? text : `adjunct: ${text}`);
  const isExpected =
    error instanceof UsageError || error instanceof Refusal || error instanceof ControlRefusal || error instanceof ConfigurationError;
  if (!isExpected && process.env.ADJUNCT_DEBUG) output.note(String(error.stack));
}

function codeOf(error: Error): string {
  if (error instanceof UsageError) return "usage";
  if (error instanceof ConfigurationError) return "configuration";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "internal";
}
