import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { toolsFinding } from "./tools/tools-finding.ts";

/** One thing that this machine has or has not, what it is good for, and how to get it. */
export interface Finding {
  readonly what: string;
  readonly isPresent: boolean;
  /** Without it a host cannot be mounted. */
  readonly isNeeded: boolean;
  /** What works with it, or what does not without. */
  readonly meaning: string;
  readonly remedy?: string;
}

/** What a host needs of this machine, most important first. */
export function examineMachine(): Finding[] {
  return [nodeFinding(), linuxFinding(), fuseFinding(), namespaceFinding(), ...toolFindings(), ...libvirtFindings(), s390xFinding()];
}

const oldestNode = { major: 20, minor: 19 };

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isPresent = major > oldestNode.major || (major === oldestNode.major && minor >= oldestNode.minor);
  return {
    what: "Node",
    isPresent,
    isNeeded: true,
    meaning: `version ${process.versions.node}`,
    remedy: `install Node ${oldestNode.major}.${oldestNode.minor} or newer`,
  };
}

function linuxFinding(): Finding {
  const isPresent = process.platform === "linux";
  return {
    what: "Linux",
    isPresent,
    isNeeded: true,
    meaning: isPresent
      ? "mounts and namespaces are there"
      : `${process.platform} has no /sys; in process and as a library everything works`,
    remedy: "use a Linux machine, a container or WSL 2",
  };
}

function fuseFinding(): Finding {
  const device = "/dev/fuse";
  const base = { what: "FUSE", isNeeded: true } as const;
  if (!knowsFuse()) {
    return {
      ...base,
      isPresent: false,
      meaning: "this kernel has none; only --no-mount works",
      remedy: "modprobe fuse, as root of the machine",
    };
  }
  if (!existsSync(device)) {
    return {
      ...base,
      isPresent: false,
      meaning: `${device} is missing; only --no-mount works`,
      remedy: `mknod ${device} c 10 229, or start the container with --device ${device}`,
    };
  }
  if (!isOpenable(device)) {
    return {
      ...base,
      isPresent: false,
      meaning: `${device} cannot be opened by this user; only --no-mount works`,
      remedy: `as root: chmod 0666 ${device} (what udev sets by default), or in a container --device ${device}`,
    };
  }
  return { ...base, isPresent: true, meaning: `${device} can be opened` };
}

function namespaceFinding(): Finding {
  const base = { what: "namespaces", isNeeded: true } as const;
  const works = (words: string[]): boolean =>
    spawnSync("unshare", [...words, "--mount", "--net", "true"], { stdio: "ignore" }).status === 0;
  if (works([])) return { ...base, isPresent: true, meaning: "mount and network namespaces as root" };
  if (works(["--user", "--map-root-user"])) return { ...base, isPresent: true, meaning: "through a user namespace, without root" };
  return { ...base, isPresent: false, meaning: "no mount, no exec, no shell; only --no-mount works", remedy: namespaceRemedy() };
}

function namespaceRemedy(): string {
  const setting = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, "utf8").trim() : undefined);
  if (setting("/proc/sys/user/max_user_namespaces") === "0") return "as root: sysctl user.max_user_namespaces=10000";
  if (setting("/proc/sys/kernel/unprivileged_userns_clone") === "0") return "as root: sysctl kernel.unprivileged_userns_clone=1";
  if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return "as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  }
  return "run as root; in a container: --privileged, or --cap-add SYS_ADMIN --security-opt seccomp=unconfined";
}

const tools = [
  { name: "mount", isNeeded: true, meaning: "mounts the tree", package: "mount" },
  { name: "umount", isNeeded: true, meaning: "unmounts it", package: "mount" },
  { name: "unshare", isNeeded: true, meaning: "makes namespaces", package: "util-linux" },
  { name: "nsenter", isNeeded: true, meaning: "exec and shell", package: "util-linux" },
  { name: "flock", isNeeded: true, meaning: "one process a host", package: "util-linux" },
  { name: "ip", isNeeded: false, meaning: "brings up lo in a host's network; perl does it too", package: "iproute2" },
  { name: "perl", isNeeded: false, meaning: "tells a host's programs of uevents", package: "perl-base" },
  { name: "mdevctl", isNeeded: false, meaning: "manages mediated devices in a host", package: "mdevctl" },
  { name: "qemu-system-s390x", isNeeded: false, meaning: "runs real guests", package: "qemu-system-misc" },
  { name: "xz", isNeeded: false, meaning: "unpacks kernel modules of guest images", package: "xz-utils" },
  { name: "libvirtd", isNeeded: false, meaning: "serves virsh in a host, of a daemon of the host's own", package: "libvirt-daemon-system" },
] as const;

function toolFindings(): Finding[] {
  return tools.map(({ name, isNeeded, meaning, package: packageName }) => ({
    what: name,
    isPresent: isProgram(name),
    isNeeded,
    meaning,
    remedy: `apt-get install ${packageName}`,
  }));
}

/** What scripts/seen-as-s390x.pl needs, and what it makes up for. */
function libvirtFindings(): Finding[] {
  const canRaise = spawnSync("prlimit", ["--memlock=unlimited:unlimited", "true"], { stdio: "ignore" }).status === 0;
  return [
    {
      what: "seccomp",
      isPresent: knowsUserNotification() && isProgram("perl"),
      isNeeded: false,
      meaning: "lets libvirt in a host see an IBM Z, whose processor domains have by default",
      remedy: "Linux 5.5 or newer and package perl-base, on x86_64, aarch64 or s390x; without it give domains a <cpu mode='custom'>",
    },
    {
      what: "locked memory",
      isPresent: canRaise,
      isNeeded: false,
      meaning: canRaise
        ? "libvirt raises the limit for a guest with a mediated device"
        : "its limit cannot be raised; with seccomp libvirt in a host starts guests all the same, which lock none",
      remedy:
        "as root of the machine: ulimit -l unlimited before the host is started; in a container --ulimit memlock=-1 or --cap-add SYS_RESOURCE",
    },
  ];
}

function knowsUserNotification(): boolean {
  try {
    return readFileSync("/proc/sys/kernel/seccomp/actions_avail", "utf8").includes("user_notif");
  } catch {
    return false;
  }
}

const s390xFinding = (): Finding => ({ what: "s390x tools", isNeeded: false, ...toolsFinding(isProgram) });

function isProgram(name: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(`${folder}/${name}`));
}

function knowsFuse(): boolean {
  try {
    return /\bfuse$/m.test(readFileSync("/proc/filesystems", "utf8")) || existsSync("/sys/module/fuse");
  } catch {
    return false;
  }
}

function isOpenable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
