import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus, guestOption, printResult, textOption } from "../command.ts";
import { LinuxClient } from "../linux-client.ts";
import { entryLine, listedEntry } from "../listed-entry.ts";

export const list: Command = {
  name: "list",
  summary: "list a folder of the tree, also of a host without a mount",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "PATH", description: "such as /sys/bus/ap/devices" },
  ],
  options: [guestOption],
  async run(invocation) {
    const [name = "", path = ""] = invocation.arguments;
    const entries = (await withHost(name, (client) =>
      new LinuxClient(client, textOption(invocation, "guest")).ask("list", { path }),
    )) as string[];
    const listed = entries.map(listedEntry);
    printResult(invocation, listed, () => listed.map(entryLine));
    return exitStatus.done;
  },
};
