import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, guestOption, textOption } from "../command.ts";
import { LinuxClient } from "../linux-client.ts";

export const read: Command = {
  name: "read",
  summary: "print an attribute, also of a host without a mount",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "PATH", description: "such as /sys/bus/ap/apmask" },
  ],
  options: [guestOption],
  async run(invocation) {
    const {
      arguments: [name = "", path = ""],
      wantsJson,
      output,
    } = invocation;
    const guest = textOption(invocation, "guest");
    const text = String(await withHost(name, (client) => new LinuxClient(client, guest).ask("read", { path })));
    output.print(wantsJson ? JSON.stringify({ path, text }) : text.replace(/\n$/, ""));
    return exitStatus.done;
  },
};
