/**
 * A command as data: what it is called, what it takes, what it does. Nothing here knows which library parses the command line.
 */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  /** What `--json` does, where it is not to print the result as JSON. */
  readonly jsonMeaning?: string;
  /** Lines under `Examples:` in the help. */
  readonly examples?: readonly string[];
  /** The exit status. Throwing Refusal means 1, UsageError 2. */
  run(invocation: Invocation): Promise<number>;
}

export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly isOptional?: boolean;
  /** Takes all that is left. */
  readonly isList?: boolean;
}

export interface Option {
  /** Such as `--type <card>` or `-w, --follow`. */
  readonly flags: string;
  readonly description: string;
}

/** For commands that act on a host's Linux or on that of one of its guests. */
export const guestOption: Option = { flags: "--guest <guest>", description: "a guest of the host instead of the host itself" };

/** For commands that run a program. */
export const programJsonMeaning = "print adjunct's own errors as JSON; what the program prints is its own";

export interface Invocation {
  readonly arguments: readonly string[];
  /** Options by their long name in camel case. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly wantsJson: boolean;
  readonly output: Output;
}

export interface Output {
  print(text: string): void;
  /** On stderr. */
  note(text: string): void;
}

export const exitStatus = { done: 0, refused: 1, usage: 2 } as const;

/** The words make no sense; the message says which would. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** A text option, undefined when it was not given. */
export function textOption({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** An option that may be given several times. */
export function listOption({ options }: Invocation, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** Prints plain data as JSON or, for people, as the lines that `lines` makes. */
export function printResult(invocation: Invocation, value: unknown, lines: () => readonly string[]): void {
  if (invocation.wantsJson) invocation.output.print(JSON.stringify(value, null, 2));
  else for (const line of lines()) invocation.output.print(line);
}

/** Prints one element of a stream: a JSON object a line, or text. */
export function printElement(invocation: Invocation, value: unknown, text: () => string): void {
  invocation.output.print(invocation.wantsJson ? JSON.stringify(value) : text());
}
