import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSourcesOf } from "../../src/host/tools/apt-sources.ts";
import { PrivateApt, runApt } from "../../src/host/tools/private-apt.ts";
import { unpack } from "../../src/host/tools/unpack-package.ts";
import { projectRoot } from "../cli/sandbox.ts";

/** Kept between runs. */
const cache = process.env.ADJUNCT_DEBIAN_ROOT_DIR ?? join(projectRoot, "node_modules/.cache/adjunct-debian-root");

const packages = [
  "mdevctl",
  "libvirt-daemon",
  "libvirt-daemon-driver-nodedev",
  "libvirt-daemon-driver-qemu",
  "libvirt-clients",
  "udev",
  "base-files",
  "coreutils",
  "dash",
  "grep",
  "sed",
];

/** Newer Debians have one folder for each of these pairs. */
const merged = ["bin", "sbin", "lib", "lib64"];

/**
 * A root folder with the programs of another Debian for this machine's processor, unpacked without running any script of a package. What a
 * machine has of its own is missing there: a command gets it from the host it runs on. Blocks; throws a Refusal where the mirror has no such suite.
 */
export function provideDebianRoot(suite: string): string {
  const place = join(cache, suite);
  // Another choice of packages makes another root.
  const description = `${packages.join(" ")}\n`;
  const isThere = (): boolean => {
    const described = join(place, "adjunct-packages");
    return existsSync(described) && readFileSync(described, "utf8") === description;
  };
  if (isThere()) return place;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, ".new-"));
  try {
    const root = join(folder, "root");
    unpackAll(download(suite, folder), root);
    writeFileSync(join(root, "adjunct-packages"), description);
    // Another test file may have been quicker, and may be using it.
    if (isThere()) return place;
    rmSync(place, { recursive: true, force: true });
    renameSync(root, place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return place;
}

function download(suite: string, folder: string): string[] {
  const sources = join(folder, "sources");
  writeSourcesOf(suite, sources);
  const architecture = runApt("dpkg", ["--print-architecture"]).stdout.trim();
  const apt = new PrivateApt(join(folder, "apt"), { sources, architectures: [architecture] });
  apt.update();
  return apt.downloadWithDependencies(packages);
}

function unpackAll(files: readonly string[], root: string): void {
  for (const name of merged) {
    mkdirSync(join(root, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
  mkdirSync(join(root, "var"));
  symlinkSync("../run", join(root, "var/run"));
  for (const file of files) unpack(file, root);
  // The scripts of base-passwd make these.
  for (const name of ["passwd", "group"]) {
    writeFileSync(join(root, "etc", name), readFileSync(join(root, `usr/share/base-passwd/${name}.master`)));
  }
  for (const name of ["sys", "dev", "proc", "run", "tmp", "etc/mdevctl.d", "etc/udev/rules.d"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
}

/**
 * The words before a command that run it in such a root, on the host that `adjunct exec` enters: /sys, /dev and the definitions are the host's.
 * `run` becomes /run, which keeps the daemons of two Debians apart; `callouts` is the folder of mdevctl's callouts. The mounts end with the command.
 */
export function inDebianRoot(root: string, { run, callouts }: { readonly run: string; readonly callouts: string }): string[] {
  return ["unshare", "--mount", "setpriv", "--pdeathsig", "TERM", "sh", "-ec", script, "sh", root, run, callouts];
}

const script = `root=$1 run=$2 callouts=$3; shift 3
for folder in sys dev proc etc/mdevctl.d etc/udev/rules.d; do mount --rbind "/$folder" "$root/$folder"; done
mount --bind "$run" "$root/run"
mount --bind "$callouts" "$root/usr/lib/mdevctl/scripts.d/callouts"
for folder in tmp var/lib var/cache var/log; do mount -t tmpfs adjunct "$root/$folder"; done
exec chroot "$root" "$@"`;
