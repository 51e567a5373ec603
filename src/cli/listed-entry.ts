/** An entry of a folder, as the control socket tells it: `name mode[ -> target]`, the mode in octal as lstat gives it. */
export interface ListedEntry {
  readonly name: string;
  /** As `ls -l` writes it: drwxr-xr-x. */
  readonly mode: string;
  /** Of a link. */
  readonly target?: string;
}

export function listedEntry(text: string): ListedEntry {
  // Names of sysfs have no blanks before a mode, but may have others.
  const [, name = text, mode = "0", target] = /^(.*?) ([0-7]{5,6})(?: -> (.*))?$/.exec(text) ?? [];
  return { name, mode: modeText(Number.parseInt(mode, 8)), ...(target !== undefined && { target }) };
}

/** One line: the mode, the name, the target. */
export const entryLine = ({ name, mode, target }: ListedEntry): string => `${mode} ${name}${target === undefined ? "" : ` -> ${target}`}`;

const typeMask = 0o170000;
const typeLetters: ReadonlyMap<number, string> = new Map([
  [0o040000, "d"],
  [0o120000, "l"],
]);

function modeText(mode: number): string {
  const bits = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((mode >> bit) & 1 ? "rwx"[2 - (bit % 3)] : "-"));
  return `${typeLetters.get(mode & typeMask) ?? "-"}${bits.join("")}`;
}
