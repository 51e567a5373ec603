import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { installTools } from "../../src/host/tools/install-tools.ts";
import { toolsPlaces } from "../../src/host/tools/tools-folder.ts";
import { type Outcome, Sandbox, whyNotMountable } from "../cli/sandbox.ts";
import { provideDebianRoot } from "../tools/debian-root.ts";
import { toolsFolder } from "../tools/tool-host.ts";

/** Debian 12's libvirt, which the machine has, and Debian 13's, unpacked. */
export const libvirts = ["9", "11"] as const;
export type Libvirt = (typeof libvirts)[number];

export interface DomainHost {
  readonly sandbox: Sandbox;
  /** Runs a command line of a shell on the host. */
  run(command: string): Promise<Outcome>;
  /** What it prints, stderr first, without the empty lines of virsh, and its exit status where that is not 0. */
  type(command: string): Promise<string>;
  /** The same in a guest. */
  typeInGuest(guest: string, command: string): Promise<string>;
}

const prepareMs = 300_000;
const suite = "trixie";

/** One host for all tests of a file or block, whose programs find that libvirt. */
export function useDomainHost(name: string, { configuration, libvirt }: { configuration: string; libvirt: Libvirt }): DomainHost {
  let sandbox: Sandbox;
  let reason = existsSync("/usr/sbin/libvirtd") && existsSync("/usr/bin/virsh") ? whyNotMountable() : "libvirt is not installed";
  beforeAll(async () => {
    if (reason !== undefined) return;
    installTools(suite, () => {}, toolsPlaces(toolsFolder));
    sandbox = new Sandbox();
    Object.assign(sandbox.environment, { HOME: sandbox.folder, LC_ALL: "C", ADJUNCT_TOOLS_DIR: toolsFolder, ADJUNCT_TOOLS_SUITE: suite });
    if (libvirt === "11") {
      try {
        putLibvirt11First(sandbox, provideDebianRoot("trixie"));
      } catch (error) {
        reason = `Debian 13's packages cannot be had: ${(error as Error).message}`;
        return;
      }
    }
    await sandbox.up(sandbox.file(`${name}.yaml`, configuration));
  }, prepareMs);
  afterAll(() => sandbox?.close());
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason);
  });
  const run = (command: string): Promise<Outcome> => sandbox.adjunct("exec", name, "--", "bash", "-c", command);
  return {
    get sandbox() {
      return sandbox;
    },
    run,
    type: async (command) => textOf(await run(command)),
    typeInGuest: async (guest, command) => textOf(await sandbox.adjunct("exec", name, "--guest", guest, "--", "sh", "-c", command)),
  };
}

const textOf = ({ stdout, stderr, status }: Outcome): string =>
  `${stderr}${stdout}`.replace(/^\n+|(?<=\n)\n+/g, "") + (status === 0 ? "" : `status ${status}\n`);

/** Its programs run with the libraries of their Debian; what is not libvirt's is the machine's. */
function putLibvirt11First(sandbox: Sandbox, root: string): void {
  const folder = join(sandbox.folder, "libvirt-11");
  mkdirSync(folder);
  const triplet = readdirSync(join(root, "usr/lib")).find((name) => existsSync(join(root, "usr/lib", name, "libc.so.6")))!;
  const libraries = join(root, "usr/lib", triplet);
  const loader = join(libraries, readdirSync(libraries).find((name) => /^ld-linux-.*\.so\.\d+$/.test(name))!);
  for (const [name, path] of [
    ["libvirtd", "usr/sbin/libvirtd"],
    ["virsh", "usr/bin/virsh"],
  ] as const) {
    const words = [loader, "--library-path", libraries, join(root, path)].map((word) => `'${word}'`).join(" ");
    writeFileSync(
      join(folder, name),
      `#!/bin/sh\nexport LIBVIRT_DRIVER_DIR='${libraries}/libvirt/connection-driver'\nexec ${words} "$@"\n`,
    );
    chmodSync(join(folder, name), 0o755);
  }
  sandbox.environment.PATH = `${folder}:${sandbox.environment.PATH}`;
}

/** A domain as somebody would write it for a machine that is an IBM Z. */
export const domainXml = (name: string, devices = ""): string => `<domain type='kvm'>
  <name>${name}</name>
  <memory unit='MiB'>512</memory>
  <vcpu>1</vcpu>
  <os><type arch='s390x' machine='s390-ccw-virtio'>hvm</type></os>
  <devices>
    <console type='pty'><target type='sclp'/></console>
    ${devices}
  </devices>
</domain>
`;

/** The file of the kernel's document on vfio-ap, Limitations. */
export const hostdevXml = (uuid: string): string => `<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-ap'>
  <source>
    <address uuid='${uuid}'/>
  </source>
</hostdev>
`;
