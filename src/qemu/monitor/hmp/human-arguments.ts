import { keyValues } from "../../command-line/key-values.ts";
import { checkId } from "../../devices/device-checks.ts";
import { QemuError } from "../../qemu-error.ts";
import type { HumanCommand } from "./human-command.ts";
import { firstWord } from "./human-words.ts";

/** What a command's arguments are, or what the monitor and what QEMU's stderr say of them. */
export type HumanArguments =
  | { readonly values: Readonly<Record<string, string | undefined>> }
  | { readonly printed: string; readonly reported?: readonly string[] };

/** Texts: monitor_parse_arguments of QEMU 10.2.2's monitor/hmp.c. */
export function humanArguments({ name, arguments: wanted = [] }: HumanCommand, line: string): HumanArguments {
  const values: Record<string, string | undefined> = {};
  let rest = line.trimStart();
  for (const argument of wanted) {
    rest = rest.trimStart();
    if (argument.kind === "switch") {
      const letter = /^-(\S)/.exec(rest)?.[1];
      if (letter === argument.name) {
        values[argument.name] = "on";
        rest = rest.slice(2);
      } else if (letter !== undefined && !wanted.some((other) => other.kind === "switch" && other.name === letter)) {
        return { printed: `${name}: unsupported option -${letter}\n` };
      }
      continue;
    }
    if (rest === "" && argument.isOptional) continue;
    if (argument.kind === "rest") {
      if (rest === "") return { printed: `${name}: string expected\n` };
      values[argument.name] = rest;
      rest = "";
      continue;
    }
    if (argument.kind === "onoff") {
      const [word = ""] = /^\S*/.exec(rest) ?? [];
      if (word !== "on" && word !== "off") return { printed: "Expected 'on' or 'off'\n" };
      values[argument.name] = word;
      rest = rest.slice(word.length);
      continue;
    }
    const word = firstWord(rest);
    // QEMU says these to its own stdout and stderr, not to who typed it.
    if (word && "problem" in word) return { printed: "", reported: [word.problem] };
    if (!word) {
      if (argument.kind === "options") continue;
      return { printed: `${name}: string expected\n` };
    }
    const problem = argument.kind === "options" ? optionsProblem(word.text) : undefined;
    if (problem) return { printed: "", reported: problem };
    values[argument.name] = word.text;
    rest = word.rest;
  }
  if (rest.trim() !== "") return { printed: `${name}: extraneous characters at the end of line\n` };
  return { values };
}

function optionsProblem(text: string): readonly string[] | undefined {
  try {
    checkId(keyValues(text, "driver").values.get("id"));
    return undefined;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return [error.message, ...(error.hint === undefined ? [] : [error.hint])];
  }
}
