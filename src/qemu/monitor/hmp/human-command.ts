import type { QmpContext } from "../qmp/qmp-command.ts";

/** A command of the human monitor. What it returns is what is printed. */
export interface HumanCommand {
  /** As help writes it: all its names. */
  readonly name: string;
  readonly parameters: string;
  readonly help: string;
  readonly arguments?: readonly HumanArgument[];
  /** QemuError is printed with `Error: ` in front. */
  readonly run: (context: HumanContext, values: Readonly<Record<string, string | undefined>>) => string | void | Promise<string | void>;
  readonly subcommands?: readonly HumanCommand[];
}

export interface HumanArgument {
  readonly name: string;
  /** `word` may stand in quotes; `rest` is all that is left; `options` is `driver,key=value`; `switch` is one letter behind a dash; `onoff` one of these words. */
  readonly kind: "word" | "rest" | "options" | "switch" | "onoff";
  readonly isOptional?: boolean;
}

export interface HumanContext extends QmpContext {
  /** Lines typed before, where somebody types. */
  readonly history: readonly string[];
  /** Prints what comes, and the prompt only after that; absent where nobody types. */
  readonly suspend?: (until: Promise<string>) => void;
}

/** Help lists `print|p` where each of both is understood. */
export const hasName = ({ name }: HumanCommand, word: string): boolean => name.split("|").includes(word);
