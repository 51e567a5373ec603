import { closeSync, openSync, readFileSync } from "node:fs";

/** Bit of CAP_SYS_ADMIN in a capability set. */
const sysAdminBit = 21n;
export const devicePath = "/dev/fuse";

/** Why this process cannot mount with FUSE, in one sentence with what to do about it; undefined if nothing stands against it. */
export function checkFuse(): string | undefined {
  return checkFuseOfMachine() ?? checkPrivilege();
}

/** The same as far as becoming the root of a user namespace changes nothing about it. */
export function checkFuseOfMachine(): string | undefined {
  if (process.platform !== "linux") return `FUSE needs Linux, this is ${process.platform}`;
  return checkDevice() ?? checkFileSystem();
}

const checkDevice = (): string | undefined => {
  try {
    closeSync(openSync(devicePath, "r+"));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return `${devicePath} does not exist: load the kernel module (modprobe fuse), or give the container the device`;
    if (code === "ENODEV" || code === "ENXIO") return `${devicePath} has no driver: load the kernel module (modprobe fuse)`;
    if (code === "EACCES") return `user ${process.getuid?.()} may not open ${devicePath}: run as root, or chmod 0666 ${devicePath}`;
    if (code === "EPERM") return `opening ${devicePath} is forbidden: the container needs the device (--device ${devicePath})`;
    return `${devicePath} cannot be opened: ${code}`;
  }
};

const checkFileSystem = (): string | undefined =>
  /^nodev\tfuse$/m.test(read("/proc/filesystems")) ? undefined : "this kernel has no FUSE file system: load the module (modprobe fuse)";

const checkPrivilege = (): string | undefined => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(read("/proc/self/status"))?.[1];
  if (effective === undefined || (BigInt(`0x${effective}`) >> sysAdminBit) & 1n) return undefined;
  const hasUserNamespaces = read("/proc/sys/user/max_user_namespaces").trim() !== "0";
  return hasUserNamespaces
    ? "mounting needs CAP_SYS_ADMIN: run as root, or inside unshare --user --map-root-user --mount"
    : "mounting needs CAP_SYS_ADMIN: run as root (user namespaces are switched off: sysctl user.max_user_namespaces)";
};

const read = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
};
