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
  // virtlogd is not there, and security drivers and cgroups are the machine's. A guest's devices are files of the host's /dev, which a /dev of the
  // guest's own would have to have.
  "qemu.conf":
    'stdio_handler = "file"\nsecurity_driver = "none"\nuser = "root"\ngroup = "root"\ncgroup_controllers = []\nnamespaces = []\n',
};
