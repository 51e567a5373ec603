import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * libvirt's own folders of one Linux: its configuration, definitions and logs, which stay when the host ends. Nothing of the machine's libvirt
 * is in them, so none of its networks and domains is started there.
 */
export function makeLibvirtFolder(folder: string): void {
  for (const below of ["etc/libvirt", "var/lib/libvirt", "var/cache/libvirt", "var/log/libvirt/qemu"]) {
    mkdirSync(join(folder, below), { recursive: true });
  }
  for (const [name, text] of Object.entries(defaultFiles)) {
    const path = join(folder, "etc/libvirt", name);
    if (!existsSync(path)) writeFileSync(path, text);
  }
}

/** Written once: whoever changes them finds them changed after the next start. */
const defaultFiles = {
  // Who may enter the host's namespaces may use its daemon; polkit and D-Bus are the machine's.
  "libvirtd.conf": 'auth_unix_ro = "none"\nauth_unix_rw = "none"\n',
  "qemu.conf": [
    // virtlogd is not there.
    'stdio_handler = "file"',
    // Security drivers and cgroups are the machine's. What a domain names may be root's anyway: it stays whose it is, and is not marked.
    'security_driver = "none"',
    'user = "root"',
    'group = "root"',
    "dynamic_ownership = 0",
    "remember_owner = 0",
    "cgroup_controllers = []",
    // Devices of guests are files of the host's /dev, not nodes that a /dev of a guest's own could have.
    "namespaces = []",
    "",
  ].join("\n"),
};
