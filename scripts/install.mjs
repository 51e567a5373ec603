// Installs what a command of this project needs and the machine lacks: npm packages from the lock file, Debian packages by name.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** npm packages as the lock file says, unless they are installed already. */
export function installNpmPackages() {
  if (areNpmPackagesInstalled()) return;
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("npm ci failed");
}

/** By version: a checkout makes the lock file new without changing it. */
function areNpmPackagesInstalled() {
  const installed = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const packagesIn = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
  const found = packagesIn(installed);
  const wanted = Object.entries(packagesIn(join(root, "package-lock.json")));
  return wanted.every(([path, { version, optional }]) => path === "" || optional || found[path]?.version === version);
}

/**
 * Debian packages, each with a path that shows it is there: `{ "util-linux": "/usr/bin/unshare" }`. Returns those that are missing still,
 * because this is no Debian or not root.
 */
export function installDebianPackages(packages) {
  const missing = () => Object.keys(packages).filter((name) => !existsSync(packages[name]));
  const wanted = missing();
  if (wanted.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return wanted;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => spawnSync("apt-get", ["-qq", "-o", "Dpkg::Use-Pty=0", ...args], { stdio: ["ignore", 2, 2], env: environment });
  console.error(`installing ${wanted.join(", ")}`);
  apt("update");
  apt("install", "-y", "--no-install-recommends", ...wanted);
  return missing();
}
