import { LocatedError } from "./located-error.ts";
import { type OptionRecord, optionTable } from "./option-table.ts";

/** An option as it stands on the command line. */
export interface OptionUse {
  readonly record: OptionRecord;
  readonly argument: string;
  /** As typed, for messages. */
  readonly text: string;
}

/** Options in order, and the words that are none: QEMU takes these for disk images. All of it is looked at before anything is done. QemuError. */
export function optionWords(words: readonly string[]): { readonly options: OptionUse[]; readonly images: string[] } {
  const options: OptionUse[] = [];
  const images: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      images.push(word);
      continue;
    }
    const record = optionTable.get(word.replace(/^--?/, ""));
    if (!record) throw new LocatedError(word, "invalid option");
    if (!record.takesArgument) {
      options.push({ record, argument: "", text: word });
      continue;
    }
    const argument = words[++at];
    if (argument === undefined) throw new LocatedError(word, "requires an argument");
    options.push({ record, argument, text: `${word} ${argument}` });
  }
  for (const { record, text } of options) if (!record.isForTarget) throw new LocatedError(text, "Option not supported for this target");
  return { options, images };
}
