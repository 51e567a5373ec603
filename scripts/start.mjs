// npm start [-- FILE]: installs what a host and its guests need, brings up the example, says what to type next; Ctrl-C ends it.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { installDebianPackages, installNpmPackages } from "./install.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const file = process.argv[2] ?? "examples/three-guests.yaml";
const packages = { "util-linux": "/usr/bin/unshare", mount: "/usr/bin/mount", iproute2: "/usr/sbin/ip", "perl-base": "/usr/bin/perl" };

installNpmPackages();
installDebianPackages(packages);
const { build } = await import("./build.mjs");
if (build() !== 0) process.exit(1);

const { examineMachine } = await import("../dist/host/machine-examination.js");
const missing = examineMachine().filter(({ isNeeded, isPresent }) => isNeeded && !isPresent);
if (missing.length > 0) {
  console.error("The tree cannot be mounted here, so it is served without a mount:");
  for (const { what, meaning, remedy } of missing) console.error(`  ${what}: ${meaning}${remedy ? `. To change that: ${remedy}` : ""}`);
  console.error("");
}

const { readConfigurationFile } = await import("../dist/host/configuration-file.js");
const { isGuestImageName } = await import("../dist/host/guest-images/guest-image-recipes.js");
const images = new Set(linuxesOf(file));
if (images.size > 0) {
  installDebianPackages({ "qemu-system-misc": "/usr/bin/qemu-system-s390x", "xz-utils": "/usr/bin/xz" });
  const { fetchGuestImage } = await import("../dist/host/guest-images/fetch-guest-image.js");
  for (const image of images) fetchGuestImage(image, (text) => console.error(`${image}: ${text}`));
}

const words = ["up", file, ...(missing.length > 0 ? ["--no-mount"] : [])];
const host = spawn(process.execPath, [join(root, "bin/adjunct"), ...words], { cwd: root, stdio: "inherit" });
// On a terminal Ctrl-C reaches the host as well; elsewhere it has to be told. It takes either, and both.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => host.kill(signal));
if (missing.length === 0 || process.stdin.isTTY) console.error("Ctrl-C ends it.");
host.on("exit", (status) => process.exit(status ?? 1));

/** The images that its guests boot; none of a file with mistakes, which `up` tells of. */
function linuxesOf(path) {
  try {
    return readConfigurationFile(path).guests.flatMap(({ boot }) => (isGuestImageName(boot?.linux ?? "") ? [boot.linux] : []));
  } catch {
    return [];
  }
}
