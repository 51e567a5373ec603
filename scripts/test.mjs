// npm test: installs what the tests need, checks the source, runs every test. Arguments go to vitest.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { installDebianPackages, installNpmPackages } from "./install.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = {
  "util-linux": "/usr/bin/unshare",
  mount: "/usr/bin/mount",
  iproute2: "/usr/sbin/ip",
  kmod: "/usr/sbin/modprobe",
  procps: "/usr/bin/pgrep",
  "uuid-runtime": "/usr/bin/uuidgen",
  "libvirt-daemon-system": "/usr/sbin/libvirtd",
  "libvirt-clients": "/usr/bin/virsh",
  mdevctl: "/usr/bin/mdevctl",
  "qemu-system-misc": "/usr/bin/qemu-system-s390x",
  "xz-utils": "/usr/bin/xz",
  "gcc-s390x-linux-gnu": "/usr/bin/s390x-linux-gnu-gcc",
  "libc6-dev-s390x-cross": "/usr/s390x-linux-gnu/lib/libc.a",
  "python3-pytest": "/usr/lib/python3/dist-packages/pytest/__init__.py",
};

installNpmPackages();
const missing = installDebianPackages(packages);
if (missing.length > 0) console.error(`not installed, tests that need them are skipped: ${missing.join(", ")}`);

const vitestArguments = process.argv.slice(2);
const steps = [
  ...(vitestArguments.length === 0 ? [["npm", ["run", "--silent", "check"]]] : []),
  ["npx", ["vitest", "run", ...vitestArguments]],
];
for (const [command, args] of steps) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
