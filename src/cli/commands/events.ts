import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, guestOption, printElement, textOption } from "../command.ts";
import { LinuxClient } from "../linux-client.ts";

export const events: Command = {
  name: "events",
  summary: "print the host's uevents as they come, until it ends",
  arguments: [{ name: "HOST", description: "the name of a running host" }],
  options: [guestOption, { flags: "--all", description: "everything the host tells: log lines and changed attributes too" }],
  async run(invocation) {
    const [name = ""] = invocation.arguments;
    const guest = textOption(invocation, "guest");
    await withHost(name, async (client) => {
      // Refuses a guest that there is not, and one whose events are its own.
      if (guest !== undefined) await new LinuxClient(client, guest).ask("modules");
      await client.follow((event) => {
        if (event.guest !== guest) return;
        if (event.type === "uevent" || invocation.options.all === true) printElement(invocation, event, () => eventText(event));
      });
      invocation.output.note(`adjunct: waiting for events of ${guest ?? name}; Ctrl-C ends this`);
      await client.closed;
    });
    return exitStatus.done;
  },
};

/** As `udevadm monitor --kernel --property` shows one: a line with the action and the device, its properties, an empty line. */
function eventText(event: Readonly<Record<string, unknown>>): string {
  if (event.type !== "uevent") return JSON.stringify(event);
  const properties = propertiesOf(event);
  const lines = properties.map(([key, value]) => `${key}=${value.replace(/\n$/, "")}`);
  const value = (key: string): string => properties.find(([name]) => name === key)?.[1] ?? "";
  return `${value("ACTION").padEnd(8)} ${value("DEVPATH")} (${value("SUBSYSTEM")})\n${lines.join("\n")}\n`;
}

function propertiesOf(event: Readonly<Record<string, unknown>>): [string, string][] {
  const { properties } = event;
  const pairs = Array.isArray(properties)
    ? (properties as [string, unknown][])
    : Object.entries((properties as object | undefined) ?? event);
  return pairs.filter(([key]) => key === key.toUpperCase()).map(([key, value]) => [key, String(value)]);
}
