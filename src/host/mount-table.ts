import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The mount points at or below `folder`, innermost first. Read from the mount table: a dead mount must not be touched. */
export function mountsBelow(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => unescaped(line.split(" ")[4] ?? ""))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort((left, right) => right.length - left.length);
}

/** Takes every mount at or below `folder` away, also one whose server is dead. Throws when one stays. */
export function detachMountsBelow(folder: string): void {
  for (const point of mountsBelow(folder)) spawnSync("umount", ["--lazy", "--no-canonicalize", point], { stdio: "ignore" });
  const left = mountsBelow(folder);
  if (left.length > 0) throw new Error(`${left[0]} is mounted and cannot be unmounted: umount -l ${left[0]} as the user who mounted it`);
}

/** The mount table writes blanks and such as octal numbers. */
const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
