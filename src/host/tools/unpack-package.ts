import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../control-protocol.ts";

/**
 * Makes the root that an emulator takes for /: libraries and programs alone, below usr. The emulator looks for every path that a program
 * opens here first, so folders that must be the host's (etc, dev, sys, run, var) may not be here.
 */
export function unpackRoot(root: string, packages: readonly string[]): void {
  makeMergedFolders(root);
  for (const file of packages) unpack(file, root);
  for (const folder of ["etc", "var", "run", "dev", "sys", "proc", "boot", "opt", "srv", "home", "root", "tmp", "bin"])
    removeIn(root, folder);
  for (const folder of ["bin", "share", "include", "libexec", "src", "games"]) removeIn(root, join("usr", folder));
}

/** Older Debians have packages with files in both places. */
export function makeMergedFolders(root: string): void {
  for (const folder of ["lib", "lib64", "bin", "sbin"]) {
    mkdirSync(join(root, "usr", folder), { recursive: true });
    symlinkSync(`usr/${folder}`, join(root, folder));
  }
}

const removeIn = (root: string, folder: string): void => rmSync(join(root, folder), { recursive: true, force: true });

/** Unpacks a package without running anything of it; `except` are patterns of members to leave out. */
export function unpack(file: string, folder: string, except: readonly string[] = []): void {
  // A pipe has the status of its last program: the first one ends the shell when it fails.
  const script =
    'package=$1 folder=$2; shift 2; { dpkg-deb --fsys-tarfile "$package" || kill $$; } | tar --extract --keep-directory-symlink --no-same-owner --directory "$folder" "$@"';
  const exclusions = except.map((pattern) => `--exclude=${pattern}`);
  const { status, stderr } = spawnSync("sh", ["-c", script, "sh", file, folder, ...exclusions], { encoding: "utf8" });
  if (status !== 0) throw new Refusal(`${file} cannot be unpacked: ${stderr.trim()} (packages dpkg and tar)`);
}
