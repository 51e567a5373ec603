import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, guestOption, textOption } from "../command.ts";
import { LinuxClient } from "../linux-client.ts";

export const write: Command = {
  name: "write",
  summary: "write a line to an attribute, as echo does, also of a host without a mount",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "PATH", description: "such as /sys/bus/ap/apmask" },
    { name: "TEXT", description: "what to write; a newline is added" },
  ],
  options: [guestOption],
  examples: ["adjunct write lpar1 /sys/bus/ap/apmask -- -5,-6"],
  async run(invocation) {
    const {
      arguments: [name = "", path = "", text = ""],
      wantsJson,
      output,
    } = invocation;
    const guest = textOption(invocation, "guest");
    await withHost(name, (client) => new LinuxClient(client, guest).ask("write", { path, data: `${text}\n` }));
    if (wantsJson) output.print(JSON.stringify({ path, written: text.length + 1 }));
    return exitStatus.done;
  },
};
