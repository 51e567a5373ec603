import { agentPortName } from "../guest/real/agent-protocol.ts";
import type { GuestBoot, GuestConfiguration } from "./configuration.ts";
import { mdevDevice } from "./mdev-device.ts";
import { type GuestPlaces, isSocketPath } from "./places.ts";

/** The words with which a guest of a configuration starts. Without places it has neither monitors nor a console. */
export function guestCommandLine({ name, cpu, mdev, boot }: GuestConfiguration, places: GuestPlaces | undefined): string[] {
  const words = ["-name", `guest=${name}`, "-machine", "s390-ccw-virtio,accel=kvm", "-cpu", cpu, "-nodefaults", "-display", "none"];
  words.push(...monitorOptions(places));
  if (boot) words.push(...bootOptions(boot), ...(places ? consoleOptions(places) : []));
  if (mdev !== undefined)
    words.push("-device", [...mdevDevice(mdev)].map(([key, value]) => (key === "driver" ? value : `${key}=${value}`)).join(","));
  return words;
}

/** The host's own monitors of a guest. */
export const monitorOptions = (places: GuestPlaces | undefined): string[] =>
  places ? [...socketOption("-qmp", places.qmpSocket), ...socketOption("-monitor", places.monitorSocket)] : [];

function bootOptions({ kernel, initrd, append, disk, memoryMib, cpus }: GuestBoot): string[] {
  const words = ["-m", `${memoryMib}M`, "-smp", String(cpus)];
  if (kernel !== undefined) words.push("-kernel", kernel);
  if (initrd !== undefined) words.push("-initrd", initrd);
  if (append !== undefined) words.push("-append", append);
  if (disk !== undefined) words.push("-drive", `file=${escaped(disk)},if=virtio`);
  return words;
}

/** Whatever the console shows is kept: also what nobody looks at. */
function consoleOptions({ consoleSocket, consoleLog, agentPortSocket }: GuestPlaces): string[] {
  const console = isSocketPath(consoleSocket) ? socketChardev("console", consoleSocket) : "null,id=console";
  const words = ["-chardev", `${console},logfile=${escaped(consoleLog)},logappend=on`, "-serial", "chardev:console"];
  if (!isSocketPath(agentPortSocket)) return words;
  words.push("-chardev", socketChardev("agent", agentPortSocket));
  words.push("-device", "virtio-serial-ccw", "-device", `virtserialport,id=agent,chardev=agent,name=${agentPortName}`);
  return words;
}

const socketChardev = (id: string, path: string): string => `socket,id=${id},path=${escaped(path)},server=on,wait=off`;

/** A path that no socket can have is left out. */
function socketOption(option: string, path: string): string[] {
  return isSocketPath(path) ? [option, `unix:${escaped(path)},server=on,wait=off`] : [];
}

/** A comma in a value is doubled, as QEMU's options want it. */
const escaped = (path: string): string => path.replaceAll(",", ",,");
