import type { HostDescription } from "../host/host-folder.ts";

/** One line about a host that is ready. */
export function hostSummary({ name, kernel, mount }: HostDescription): string {
  return `${name} is up: Linux ${kernel}, ${mount ? `its /sys is mounted at ${mount}/host` : "without a mount, over its control socket only"}`;
}

/** What to type next. */
export function nextSteps({ name, isMounted }: HostDescription): string[] {
  const steps = isMounted
    ? [
        [`adjunct shell ${name}`, "a shell where that tree is /sys"],
        [`adjunct exec ${name} -- ls /sys/bus/ap/devices`, "one program"],
      ]
    : [
        [`adjunct shell ${name}`, "a prompt that reads and writes its tree"],
        [`adjunct list ${name} /sys/bus/ap/devices`, "one question"],
      ];
  const more = [
    [`adjunct hw ${name} show`, "the hardware; hw also adds and removes adapters and domains"],
    [`adjunct dmesg ${name}`, "its kernel log"],
    [`adjunct down ${name}`, "end it"],
  ];
  const width = Math.max(...[...steps, ...more].map(([command = ""]) => command.length));
  return [...steps, ...more].map(([command = "", what = ""]) => `  ${command.padEnd(width)}  ${what}`);
}
