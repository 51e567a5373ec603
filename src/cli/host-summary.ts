import type { HostDescription } from "../host/host-folder.ts";
import type { HostStatus } from "../host/host-status.ts";
import { hostPlaces } from "../host/places.ts";
import { invokedAs } from "./invoked-as.ts";
import { apTable, guestTable } from "./status-text.ts";

/** What there is to say of a host that is ready: where it is, what it has, what to type next. */
export function hostSummary(description: HostDescription, status: HostStatus): string[] {
  const { name, kernel, mount } = description;
  const guests = guestTable(status);
  return [
    `${name} is up: Linux ${kernel}, ${mount ? `its /sys is mounted at ${hostPlaces(name).sys}` : "without a mount, over its control socket only"}`,
    "",
    ...apTable(status),
    ...(guests.length > 0 ? ["", ...guests] : []),
    "",
    ...nextSteps(description),
  ];
}

function nextSteps({ name, isMounted }: HostDescription): string[] {
  const adjunct = invokedAs();
  const ways: readonly (readonly [string, string])[] = isMounted
    ? [
        [`shell ${name}`, "a shell where that tree is /sys"],
        [`exec ${name} -- ls /sys/bus/ap/devices`, "one program"],
      ]
    : [
        [`shell ${name}`, "a prompt that reads and writes its tree"],
        [`list ${name} /sys/bus/ap/devices`, "one question; read and write as well"],
      ];
  const steps: readonly (readonly [string, string])[] = [
    ...ways,
    [`hw ${name} show`, "the hardware; hw also adds and removes adapters and domains"],
    [`dmesg ${name}`, "its kernel log"],
    [`down ${name}`, "end it"],
  ];
  const width = Math.max(...steps.map(([command]) => command.length));
  return ["What to type next:", ...steps.map(([command, what]) => `  ${adjunct} ${command.padEnd(width)}  ${what}`)];
}
