import { withHost } from "../../host/known-hosts.ts";
import { type Command, exitStatus } from "../command.ts";

export const write: Command = {
  name: "write",
  summary: "write a line to an attribute, as echo does, also of a host without a mount",
  arguments: [
    { name: "HOST", description: "the name of a running host" },
    { name: "PATH", description: "such as /sys/bus/ap/apmask" },
    { name: "TEXT", description: "what to write; a newline is added" },
  ],
  options: [],
  examples: ["adjunct write lpar1 /sys/bus/ap/apmask -- -5,-6"],
  async run({ arguments: [name = "", path = "", text = ""], wantsJson, output }) {
    await withHost(name, (client) => client.request({ do: "write", path, data: `${text}\n` }));
    if (wantsJson) output.print(JSON.stringify({ path, written: text.length + 1 }));
    return exitStatus.done;
  },
};
