import { lstatSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { makeFolders } from "./make-folders.ts";

/**
 * The one file that knows where everything is. The run folder is gone after a reboot, the state folder stays; both belong to
 * one user alone. Everything of a host is below a folder of its name in each.
 */
export interface Places {
  readonly runFolder: string;
  readonly stateFolder: string;
  /** Real programs for s390x, shared by all hosts: a folder a suite. No host can have a name with a dot in front. */
  readonly toolsFolder: string;
  /** Kernels and initramfs for real guests, shared by all hosts: a folder an image. */
  readonly guestImagesFolder: string;
}

/** What the programs of one Linux need: a host's or a guest's. */
export interface SystemPlaces {
  /** Its /sys below the mount. */
  readonly sys: string;
  /** modprobe, rmmod, lsmod, dmesg and so on that act on it. */
  readonly programs: string;
  /** What the namespace's /dev, /run and the upper layer of its /etc are made of. */
  readonly namespace: string;
  /** Its own configuration of mdevctl and udev. */
  readonly etc: string;
  /** Its own folders of libvirt: etc/libvirt, var/lib/libvirt and so on. */
  readonly libvirt: string;
  /** Leads to the socket of its libvirt from anywhere on the machine, another host's namespaces too. */
  readonly libvirtSocket: string;
  /** What of /dev is below the mount; undefined: nothing. */
  readonly dev?: string;
}

export interface HostPlaces extends SystemPlaces {
  readonly name: string;
  /** The folder of all hosts. */
  readonly runFolder: string;
  /** Held by the host's process for as long as it lives. Beside the folder, so that the folder can go. */
  readonly lock: string;
  readonly folder: string;
  readonly state: string;
  /** The master keys of its adapters. */
  readonly secrets: string;
  /** What the host says of itself: process, start, mount. */
  readonly description: string;
  readonly controlSocket: string;
  /** What the process of a detached host prints. */
  readonly output: string;
  /** Where the tree is mounted. */
  readonly mount: string;
  /** Stands in for / for programs that take another root: sys and etc. */
  readonly root: string;
}

export interface GuestPlaces extends SystemPlaces {
  readonly folder: string;
  /** What its emulator said, over all its starts. */
  readonly log: string;
  /** Monitors of a guest that the host itself started. */
  readonly qmpSocket: string;
  readonly monitorSocket: string;
  /** A real guest's console and its agent. */
  readonly consoleSocket: string;
  readonly agentSocket: string;
  /** QEMU's end of the agent's port, which only the host itself talks to. */
  readonly agentPortSocket: string;
  /** Where a guest comes in from another host. */
  readonly migrationSocket: string;
  /** Everything its console showed. */
  readonly consoleLog: string;
}

export function places(environment: NodeJS.ProcessEnv = process.env): Places {
  const isRoot = process.getuid?.() === 0;
  const userRun = environment.XDG_RUNTIME_DIR ?? `/tmp/adjunct-${process.getuid?.() ?? 0}`;
  const userState = environment.XDG_STATE_HOME ?? join(homedir(), ".local/state");
  const stateFolder = environment.ADJUNCT_STATE_DIR ?? (isRoot ? "/var/lib/adjunct" : join(userState, "adjunct"));
  return {
    runFolder: environment.ADJUNCT_RUN_DIR ?? (isRoot ? "/run/adjunct" : join(userRun, "adjunct")),
    stateFolder,
    toolsFolder: environment.ADJUNCT_TOOLS_DIR ?? join(stateFolder, ".tools"),
    guestImagesFolder: environment.ADJUNCT_GUEST_IMAGES_DIR ?? join(stateFolder, ".guest-images"),
  };
}

export function hostPlaces(name: string, { runFolder, stateFolder }: Pick<Places, "runFolder" | "stateFolder"> = places()): HostPlaces {
  const folder = join(runFolder, name);
  const state = join(stateFolder, name);
  return {
    name,
    runFolder,
    lock: join(runFolder, `${name}.lock`),
    folder,
    state,
    secrets: join(state, "master-keys"),
    description: join(folder, "host.json"),
    controlSocket: join(folder, "control.sock"),
    output: join(runFolder, `${name}.output`),
    mount: join(folder, "mount"),
    sys: join(folder, "mount/host"),
    root: join(folder, "root"),
    programs: join(folder, "bin"),
    namespace: join(folder, "namespace"),
    etc: join(state, "etc"),
    libvirt: join(state, "libvirt"),
    libvirtSocket: join(folder, "libvirt.sock"),
    dev: join(folder, "mount/dev"),
  };
}

export function guestPlaces(host: HostPlaces, guest: string): GuestPlaces {
  const folder = guestFolder(host.folder, guest);
  const state = join(host.state, "guests", guest);
  return {
    folder,
    sys: join(host.mount, "guests", guest),
    programs: join(folder, "bin"),
    namespace: join(folder, "namespace"),
    etc: join(state, "etc"),
    libvirt: join(state, "libvirt"),
    libvirtSocket: join(folder, "libvirt.sock"),
    log: join(state, "log"),
    qmpSocket: join(folder, "qmp.sock"),
    monitorSocket: join(folder, "monitor.sock"),
    consoleSocket: join(folder, "console.sock"),
    agentSocket: guestAgentSocket(host.folder, guest),
    agentPortSocket: join(folder, "agent-port.sock"),
    migrationSocket: join(folder, "migration.sock"),
    consoleLog: join(state, "console"),
  };
}

/** Where programs for a real guest come to, on the host whose control socket is in that folder. */
export const guestAgentSocket = (hostFolder: string, guest: string): string => join(guestFolder(hostFolder, guest), "agent.sock");

const guestFolder = (hostFolder: string, guest: string): string => join(hostFolder, "guests", guest);

/** sun_path holds 108 bytes with its end. */
const maxSocketPathBytes = 107;

/** Makes a folder that its owner alone can enter; refuses one that is somebody else's or open to others. */
export function makePrivateFolder(path: string): void {
  makeFolders(path);
  const { uid, mode } = lstatSync(path);
  if (uid !== process.getuid?.()) throw new Error(`${path} belongs to user ${uid}: remove it or set ADJUNCT_RUN_DIR and ADJUNCT_STATE_DIR`);
  if ((mode & 0o077) !== 0) throw new Error(`${path} is open to other users: chmod 700 it`);
}

export const isSocketPath = (path: string): boolean => Buffer.byteLength(path) <= maxSocketPathBytes;

export function refuseLongSocketPath(path: string): void {
  if (isSocketPath(path)) return;
  throw new Error(`${path} is too long for a socket (${maxSocketPathBytes} bytes): set ADJUNCT_RUN_DIR to a shorter folder`);
}
